"""/audit-records"""

from modules.diagnostics.repository import audit
from modules.diagnostics.schemas.audit import AuditRecordsListed, AuditRecordView
from modules.kernel.http import Call, Page, decode_cursor, get, page_of
from modules.kernel.scopes import Scope
from modules.kernel.work import Work


async def list_audit_records(call: Call[AuditRecordsListed, None], work: Work) -> Page[AuditRecordView]:
    """List who asked to change what, newest first.

    A record appears within seconds of its request. No record is ever changed, and none holds what a body said.
    """
    query = call.query
    (before,) = decode_cursor(query.cursor, str) or (None,)
    found = await audit.read_newest_records(work, query.chosen(), before=before, limit=query.limit + 1)
    return page_of(found, query, AuditRecordView.of, lambda record: (record.request_id,))


table = (get("/audit-records", list_audit_records, Scope.AUDIT_READ),)
