"""OCPP-J as pure values: frames, errors, schemas, times. Nothing here opens a socket or reads a clock.

A text frame goes `frames.parse` → `actions.refuse` → `schemas.judge`; an answer goes `frames.dump_result` or
`frames.dump_error`. No text a station can send makes any of them raise.
"""
