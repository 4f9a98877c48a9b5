"""What is asked for in a new bundle."""

from typing import Any

from rest_framework import serializers

from tickets_project.api.serializers import IdField, StrictSerializer, TextField, WholeNumberField

MOST_TICKETS = 50
LONGEST_NAME = 100


class FlagField(serializers.BooleanField):
    """A JSON true or false; DRF's own field takes strings and numbers too."""

    def to_internal_value(self, data: Any) -> bool:
        """Return it."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class NewBundleSerializer(StrictSerializer):
    """Who wants how many seats of which show, with which flights, and whether a taxi.

    The e-mail address is the caller's own by default. Each ticket is for one passenger.
    """

    customer_email = serializers.EmailField(max_length=254, required=False)
    show_id = IdField()
    number_of_tickets = WholeNumberField(min_value=1, max_value=MOST_TICKETS)
    passengers = serializers.ListField(
        child=TextField(max_length=LONGEST_NAME), allow_empty=False, max_length=MOST_TICKETS
    )
    inbound_flight_id = IdField()
    return_flight_id = IdField(required=False, allow_null=True, default=None)
    wants_taxi = FlagField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse more or fewer passengers than tickets, and one flight for both ways."""
        tickets, passengers = attrs["number_of_tickets"], len(attrs["passengers"])
        if passengers != tickets:
            wrong = f"Name one passenger for each ticket: there are {passengers} for {tickets}."
            raise serializers.ValidationError({"passengers": [wrong]})
        if attrs["return_flight_id"] == attrs["inbound_flight_id"]:
            raise serializers.ValidationError({"return_flight_id": ["Give another flight than inbound_flight_id."]})
        return attrs
