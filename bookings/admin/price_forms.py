"""Forms in which staff say what something costs."""

from django import forms
from django.core.exceptions import ValidationError

from tickets_project.api.currencies import CURRENCIES


class PriceForm(forms.ModelForm):  # type: ignore[type-arg] # not subscriptable when it runs
    """A form of a row with a price."""

    def clean_price_currency(self) -> str:
        """Take a currency that exists."""
        currency = str(self.cleaned_data["price_currency"]).upper()
        if currency not in CURRENCIES:
            raise ValidationError("Give a currency of ISO 4217, such as EUR.")
        return currency
