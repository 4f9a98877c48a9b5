"""What ends a wait, as a function: it is planned to go by its index, also while the table is still small.

publish() prepares the statement that calls it, and a prepared statement keeps the plan of its first days.
"""

from django.db import migrations

_FUNCTION = """
CREATE FUNCTION outbox_end_waits(aggregate_ids text[]) RETURNS bigint LANGUAGE plpgsql SET enable_seqscan = off AS $$
DECLARE
    ended bigint := 0;
BEGIN
    -- Most messages end no wait, and to start an UPDATE costs more than to look.
    IF EXISTS (
        SELECT FROM outbox_delivery WHERE status = 'pending' AND waits_for <> '' AND waits_for = ANY(aggregate_ids)
    ) THEN
        UPDATE outbox_delivery SET available_at = statement_timestamp(), waits_for = ''
        WHERE id IN (
            -- A locked row is claimed at this moment, or made due.
            SELECT id FROM outbox_delivery
            WHERE status = 'pending' AND waits_for <> '' AND waits_for = ANY(aggregate_ids)
            FOR UPDATE SKIP LOCKED
        );
        GET DIAGNOSTICS ended = ROW_COUNT;
    END IF;
    RETURN ended;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("outbox", "0006_vacuum_the_queue_early")]

    operations = [migrations.RunSQL(_FUNCTION, "DROP FUNCTION outbox_end_waits(text[])")]
