"""One file per measurement: each takes the ground it stands on and returns figures."""
