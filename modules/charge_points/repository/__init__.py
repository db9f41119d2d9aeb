"""Every query on the schema `charge_points`."""
