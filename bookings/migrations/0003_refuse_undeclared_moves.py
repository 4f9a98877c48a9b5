"""A state moves as its transitions declare, whoever writes the row: the database refuses every other move."""

from django.db import migrations

MOVES = {
    "booking": [
        ("pending", "confirmed"),
        ("pending", "cancelled"),
        ("confirmed", "cancelled"),
        ("confirmed", "completed"),
        ("confirmed", "no_show"),
    ],
    "ticket": [
        ("pending", "active"),
        ("pending", "cancelled"),
        ("active", "redeemed"),
        ("active", "expired"),
        ("active", "cancelled"),
        ("redeemed", "active"),
    ],
    "refund": [
        ("requested", "receipt_voided"),
        ("requested", "refunded"),
        ("requested", "failed"),
        ("receipt_voided", "refunded"),
        ("receipt_voided", "failed"),
        ("failed", "requested"),
        ("manual", "paid"),
    ],
}


def refuse(model):
    moves = ", ".join(f"('{old}', '{new}')" for old, new in MOVES[model])
    return f"""
        CREATE FUNCTION bookings_{model}_move() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'A {model} does not go from % to %.', OLD.status, NEW.status
                USING ERRCODE = 'check_violation', CONSTRAINT = 'bookings_{model}_declared_move';
        END $$;
        CREATE TRIGGER bookings_{model}_declared_move BEFORE UPDATE OF status ON bookings_{model}
            FOR EACH ROW WHEN (OLD.status <> NEW.status AND (OLD.status, NEW.status) NOT IN ({moves}))
            EXECUTE FUNCTION bookings_{model}_move();
    """


def allow(model):
    return f"""
        DROP TRIGGER bookings_{model}_declared_move ON bookings_{model};
        DROP FUNCTION bookings_{model}_move();
    """


class Migration(migrations.Migration):
    dependencies = [("bookings", "0002_give_bookings_and_tickets_their_whole_life")]

    operations = [migrations.RunSQL(refuse(model), allow(model)) for model in MOVES]
