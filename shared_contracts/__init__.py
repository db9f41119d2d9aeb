"""The published language: typed messages between the services, and the bus that carries them.

Every message has a routing key `owner.fact_or_verb.vN`; the module of this package named after the owner holds it.
A contract only grows: a breaking change is a new `vN` beside the old.
"""
