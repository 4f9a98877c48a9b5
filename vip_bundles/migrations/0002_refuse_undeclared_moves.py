"""A bundle moves as its transitions declare, whoever writes the row: the database refuses every other move."""

from django.db import migrations

MOVES = [
    ("initialized", "booking_show"),
    ("booking_show", "booking_inbound_flight"),
    ("booking_inbound_flight", "booking_return_flight"),
    ("booking_inbound_flight", "booking_taxi"),
    ("booking_return_flight", "booking_taxi"),
    ("booking_inbound_flight", "finalized"),
    ("booking_return_flight", "finalized"),
    ("booking_taxi", "finalized"),
    ("initialized", "rolling_back"),
    ("booking_show", "rolling_back"),
    ("booking_inbound_flight", "rolling_back"),
    ("booking_return_flight", "rolling_back"),
    ("booking_taxi", "rolling_back"),
    ("booking_show", "failed"),
    ("rolling_back", "failed"),
]

_MOVES = ", ".join(f"('{old}', '{new}')" for old, new in MOVES)

REFUSE = f"""
    CREATE FUNCTION vip_bundles_vipbundle_move() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'A bundle does not go from % to %.', OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'vip_bundles_vipbundle_declared_move';
    END $$;
    CREATE TRIGGER vip_bundles_vipbundle_declared_move BEFORE UPDATE OF state ON vip_bundles_vipbundle
        FOR EACH ROW WHEN (OLD.state <> NEW.state AND (OLD.state, NEW.state) NOT IN ({_MOVES}))
        EXECUTE FUNCTION vip_bundles_vipbundle_move();
"""
ALLOW = """
    DROP TRIGGER vip_bundles_vipbundle_declared_move ON vip_bundles_vipbundle;
    DROP FUNCTION vip_bundles_vipbundle_move();
"""


class Migration(migrations.Migration):
    dependencies = [("vip_bundles", "0001_create_bundles")]

    operations = [migrations.RunSQL(REFUSE, ALLOW)]
