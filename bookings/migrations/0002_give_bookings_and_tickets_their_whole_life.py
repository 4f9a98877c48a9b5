"""Times, resources, scans, receipts, refunds and the ops read model; ids get a range type, to be excluded by."""

import django.contrib.postgres.constraints
import django.contrib.postgres.fields.ranges
import django.core.serializers.json
import django.core.validators
import django.db.models.deletion
import django_fsm
import uuid
from django.conf import settings
from django.db import migrations, models

# Bookings that are there already have their show's times, and hold its seats.
FILL = """
    UPDATE bookings_booking AS booking
    SET start_time = show.start_time,
        end_time = show.end_time,
        seats_held = CASE WHEN booking.status = 'cancelled' THEN 0 ELSE booking.number_of_tickets END
    FROM bookings_show AS show
    WHERE show.id = booking.show_id
"""


class Migration(migrations.Migration):

    dependencies = [
        ('bookings', '0001_create_shows_bookings_and_tickets'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("CREATE TYPE uuidrange AS RANGE (subtype = uuid)", "DROP TYPE uuidrange"),
        migrations.CreateModel(
            name='OpeningHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'monday'), (1, 'tuesday'), (2, 'wednesday'), (3, 'thursday'), (4, 'friday'), (5, 'saturday'), (6, 'sunday')])),
                ('opens', models.TimeField()),
                ('closes', models.TimeField()),
            ],
            options={
                'verbose_name_plural': 'opening hours',
                'ordering': ['weekday', 'opens'],
            },
        ),
        migrations.CreateModel(
            name='OpsBooking',
            fields=[
                ('booking_id', models.UUIDField(primary_key=True, serialize=False)),
                ('booked_at', models.DateTimeField(null=True)),
                ('show_id', models.UUIDField(null=True)),
                ('number_of_tickets', models.PositiveIntegerField(null=True)),
                ('customer_email', models.EmailField(blank=True, default='', max_length=254)),
            ],
        ),
        migrations.CreateModel(
            name='OpsTicket',
            fields=[
                ('ticket_id', models.UUIDField(primary_key=True, serialize=False)),
                ('booking_id', models.UUIDField(null=True)),
                ('customer_email', models.EmailField(blank=True, default='', max_length=254)),
                ('price_amount', models.DecimalField(decimal_places=2, max_digits=10, null=True)),
                ('price_currency', models.CharField(blank=True, default='', max_length=3)),
                ('confirmed_at', models.DateTimeField(null=True)),
                ('printed_at', models.DateTimeField(null=True)),
                ('file_name', models.CharField(blank=True, default='', max_length=100)),
                ('receipt_number', models.CharField(blank=True, default='', max_length=100)),
                ('receipt_issued_at', models.DateTimeField(null=True)),
                ('refunded_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Receipt',
            fields=[
                ('ticket', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='receipt', serialize=False, to='bookings.ticket')),
                ('asked_at', models.DateTimeField()),
                ('number', models.CharField(blank=True, default='', max_length=100)),
                ('issued_at', models.DateTimeField(null=True)),
                ('voided_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Refund',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('amount', models.DecimalField(decimal_places=2, max_digits=14)),
                ('currency', models.CharField(max_length=3)),
                ('status', django_fsm.FSMField(choices=[('requested', 'Requested'), ('receipt_voided', 'Receipt Voided'), ('refunded', 'Refunded'), ('failed', 'Failed'), ('manual', 'Manual'), ('paid', 'Paid')], default='requested', max_length=14, protected=True)),
                ('reason', models.TextField(blank=True, default='')),
                ('requested_at', models.DateTimeField()),
                ('requested_by', models.CharField(max_length=150)),
                ('finished_at', models.DateTimeField(editable=False, null=True)),
                ('failure', models.TextField(blank=True, default='', editable=False)),
            ],
            options={
                'permissions': [('request_refund', 'Can request refunds'), ('pay_refund', 'Can mark manual refunds paid')],
            },
            bases=(django_fsm.FSMModelMixin, models.Model),
        ),
        migrations.CreateModel(
            name='Resource',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('type', models.CharField(choices=[('room', 'Room'), ('equipment', 'Equipment'), ('service', 'Service')], max_length=9)),
                ('name', models.CharField(max_length=200)),
                ('location', models.CharField(blank=True, default='', max_length=200)),
                ('price_amount', models.DecimalField(decimal_places=2, max_digits=10, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(100000)])),
                ('price_currency', models.CharField(max_length=3)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name='Scan',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(max_length=100)),
                ('nonce', models.CharField(max_length=100, null=True)),
                ('scanned_at', models.DateTimeField()),
                ('location', models.CharField(blank=True, default='', max_length=200)),
                ('outcome', models.CharField(choices=[('redeemed', 'Redeemed'), ('unknown_code', 'Unknown Code'), ('not_active', 'Not Active'), ('not_yet_valid', 'Not Yet Valid'), ('expired', 'Expired'), ('cancelled', 'Cancelled'), ('already_redeemed', 'Already Redeemed')], max_length=16)),
                ('answer', models.JSONField(default=dict, encoder=django.core.serializers.json.DjangoJSONEncoder)),
                ('undone_at', models.DateTimeField(editable=False, null=True)),
            ],
            options={
                'permissions': [('undo_scan', 'Can undo a scan')],
            },
        ),
        migrations.CreateModel(
            name='TrackerRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('ticket_id', models.UUIDField()),
                ('sheet', models.CharField(max_length=50)),
                ('asked_at', models.DateTimeField()),
                ('appended_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AlterModelOptions(
            name='ticket',
            options={'permissions': [('activate_ticket', 'Can activate tickets'), ('redeem_ticket', 'Can redeem tickets at the door')]},
        ),
        migrations.AddField(
            model_name='booking',
            name='cancellation_reason',
            field=models.TextField(blank=True, default='', editable=False),
        ),
        migrations.AddField(
            model_name='booking',
            name='cancelled_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='completed_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='day_reminder_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='end_time',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='hour_reminder_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='no_show_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='refund_amount',
            field=models.DecimalField(decimal_places=2, editable=False, max_digits=14, null=True),
        ),
        migrations.AddField(
            model_name='booking',
            name='seats_held',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='booking',
            name='start_time',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='show',
            name='doors_time',
            field=models.DateTimeField(blank=True, help_text='From when tickets are valid; empty: three hours before the start.', null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='activated_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='activation_code',
            field=models.CharField(blank=True, default='', editable=False, max_length=32),
        ),
        migrations.AddField(
            model_name='ticket',
            name='cancelled_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='expired_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='redeemed_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='redeemed_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='ticket',
            name='redeemed_location',
            field=models.CharField(blank=True, default='', editable=False, max_length=200),
        ),
        migrations.AddField(
            model_name='ticket',
            name='valid_from',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='valid_until',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='ticket',
            name='vendor_booking_id',
            field=models.UUIDField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='booking',
            name='show',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='bookings.show'),
        ),
        migrations.AlterField(
            model_name='ticket',
            name='booking',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='tickets', to='bookings.booking'),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name='booking',
            name='start_time',
            field=models.DateTimeField(),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('valid_until'), condition=models.Q(('status', 'active')), name='bookings_ticket_active_until'),
        ),
        migrations.AddIndex(
            model_name='ticket',
            index=models.Index(models.F('created_at'), models.F('id'), condition=models.Q(('booking', None)), name='bookings_ticket_unbooked'),
        ),
        migrations.AddConstraint(
            model_name='show',
            constraint=models.CheckConstraint(condition=models.Q(('doors_time__isnull', True), ('doors_time__lte', models.F('start_time')), _connector='OR'), name='bookings_show_doors_first'),
        ),
        migrations.AddIndex(
            model_name='opsbooking',
            index=models.Index(models.F('booked_at'), models.F('booking_id'), name='bookings_opsbooking_booked'),
        ),
        migrations.AddIndex(
            model_name='opsticket',
            index=models.Index(models.F('booking_id'), name='bookings_opsticket_booking'),
        ),
        migrations.AddIndex(
            model_name='opsticket',
            index=models.Index(models.F('receipt_issued_at'), name='bookings_opsticket_receipt'),
        ),
        migrations.AddField(
            model_name='refund',
            name='booking',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='bookings.booking'),
        ),
        migrations.AddField(
            model_name='refund',
            name='ticket',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='refunds', to='bookings.ticket'),
        ),
        migrations.AddField(
            model_name='resource',
            name='ticket_type',
            field=models.ForeignKey(blank=True, help_text='Set when a confirmed booking makes a ticket.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='bookings.tickettype'),
        ),
        migrations.AddField(
            model_name='openinghours',
            name='resource',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='opening_hours', to='bookings.resource'),
        ),
        migrations.AddField(
            model_name='booking',
            name='resource',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='bookings', to='bookings.resource'),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(models.F('start_time'), models.F('id'), name='bookings_booking_start'),
        ),
        migrations.AddIndex(
            model_name='booking',
            index=models.Index(models.F('start_time'), condition=models.Q(('status', 'confirmed')), name='bookings_booking_confirmed'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('seats_held__lte', models.F('number_of_tickets'))), name='bookings_booking_seats_held'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('resource__isnull', True), ('show__isnull', False)), models.Q(('end_time__gt', models.F('start_time')), ('end_time__isnull', False), ('resource__isnull', False), ('seats_held', 0), ('show__isnull', True)), _connector='OR'), name='bookings_booking_show_or_slot'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=models.CheckConstraint(condition=models.Q(('refund_amount__isnull', True), ('refund_amount__gte', 0), _connector='OR'), name='bookings_booking_refund_amount'),
        ),
        migrations.AddConstraint(
            model_name='booking',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(condition=models.Q(('resource__isnull', False), ('status__in', ['pending', 'confirmed'])), expressions=[(models.Func('resource', 'resource', models.Value('[]'), function='UUIDRANGE', output_field=models.TextField()), '='), (models.Func('start_time', 'end_time', function='TSTZRANGE', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&')], name='bookings_booking_slot_once'),
        ),
        migrations.AddField(
            model_name='scan',
            name='scanned_by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='scan',
            name='ticket',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='scans', to='bookings.ticket'),
        ),
        migrations.AddField(
            model_name='scan',
            name='undone_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='trackerrow',
            constraint=models.UniqueConstraint(models.F('ticket_id'), models.F('sheet'), name='bookings_trackerrow_once'),
        ),
        migrations.AddIndex(
            model_name='receipt',
            index=models.Index(models.F('asked_at'), models.F('ticket'), name='bookings_receipt_asked'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(models.F('requested_at'), models.F('id'), name='bookings_refund_requested'),
        ),
        migrations.AddIndex(
            model_name='refund',
            index=models.Index(models.F('status'), models.F('requested_at'), models.F('id'), name='bookings_refund_status'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.UniqueConstraint(models.F('ticket'), condition=models.Q(('ticket__isnull', False), models.Q(('status', 'failed'), _negated=True)), name='bookings_refund_ticket_once'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('amount__gte', 0)), name='bookings_refund_amount'),
        ),
        migrations.AddConstraint(
            model_name='refund',
            constraint=models.CheckConstraint(condition=models.Q(('ticket__isnull', False), ('booking__isnull', False), _connector='OR'), name='bookings_refund_of_something'),
        ),
        migrations.AddIndex(
            model_name='resource',
            index=models.Index(models.F('name'), models.F('id'), name='bookings_resource_name'),
        ),
        migrations.AddConstraint(
            model_name='openinghours',
            constraint=models.CheckConstraint(condition=models.Q(('closes__gt', models.F('opens')), ('closes', '00:00'), _connector='OR'), name='bookings_openinghours_close_later'),
        ),
        migrations.AddConstraint(
            model_name='openinghours',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='bookings_openinghours_weekday'),
        ),
        migrations.AddConstraint(
            model_name='openinghours',
            constraint=models.UniqueConstraint(models.F('resource'), models.F('weekday'), models.F('opens'), name='bookings_openinghours_once'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(models.F('ticket'), models.F('scanned_at'), name='bookings_scan_ticket'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(models.F('scanned_by'), models.F('scanned_at'), models.F('id'), name='bookings_scan_scanner'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(models.F('scanned_at'), models.F('id'), name='bookings_scan_scanned'),
        ),
        migrations.AddIndex(
            model_name='scan',
            index=models.Index(models.F('outcome'), models.F('scanned_at'), models.F('id'), name='bookings_scan_outcome'),
        ),
        migrations.AddConstraint(
            model_name='scan',
            constraint=models.UniqueConstraint(models.F('scanned_by'), models.F('nonce'), condition=models.Q(('nonce__isnull', False)), name='bookings_scan_nonce_once'),
        ),
    ]
