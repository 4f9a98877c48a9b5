"""What was done stays written: the database refuses to change or delete a row of the audit trail."""

from django.db import migrations

REFUSE = """
    CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The audit trail is append-only.' USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit_auditentry
        FOR EACH ROW EXECUTE FUNCTION audit_refuse_change();
"""
ALLOW = """
    DROP TRIGGER audit_append_only ON audit_auditentry;
    DROP FUNCTION audit_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_keep_an_audit_trail")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
