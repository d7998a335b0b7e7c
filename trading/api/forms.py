"""Forms: what a request may say, and nothing besides."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from trading.api.fields import Line, Whole
from trading.domain.form import FormError
from trading.domain.strict_json import Number
from trading.models import Trader

# What a form said, typed.
Said = Mapping[str, Any]

REASON = 500
DEFAULT_PAGE, LONGEST_PAGE = 50, 200


class Form(serializers.Serializer[Any]):
    """A closed form: a field that it doesn't have is refused, so that nothing can be set that nobody meant to offer."""

    def to_internal_value(self, data: Any) -> Any:
        """What was said, typed.

        Raises:
            FormError: for a field that this form doesn't have.
        """
        if data.keys() - self.fields.keys():
            raise FormError("a field that isn't asked for here", field="", code="FIELD_UNKNOWN")
        return super().to_internal_value(data)


class Why(Form):
    """Why, for the audit log."""

    reason = Line(max_length=REASON, help_text="Kept in the audit log, with the person's name.")


class Query(Form):
    """The parameters of a path: none, if nothing else is said."""

    def to_internal_value(self, data: Any) -> Any:
        """What was asked, typed: in a query numbers are text.

        Raises:
            FormError: for a parameter that this list doesn't have, or that is said twice.
        """
        if any(len(values) != 1 for _, values in data.lists()):
            raise FormError("said twice", field="", code="FIELD_INVALID")
        return super().to_internal_value({name: self._written(name, value) for name, value in data.items()})

    def _written(self, name: str, value: str) -> str:
        return Number(value) if isinstance(self.fields.get(name), Whole) else value


class PageQuery(Query):
    """What a list is narrowed by; each further field's source is the lookup that it becomes."""

    limit = Whole(min_value=1, max_value=LONGEST_PAGE, default=DEFAULT_PAGE, help_text="How many rows.")
    cursor = Line(
        max_length=18, pattern="^[0-9]{1,18}$", required=False, help_text="The `next` of the page before; without it, the newest."
    )


class AccountNumber(Whole):
    """A Telegram id in a query, as its trader's key; of nobody's, 0."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=1, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        """The key: a constant, so that PostgreSQL knows how rare his rows are."""
        number = super().to_internal_value(data)
        return Trader.objects.filter(tg_user_id=number).values_list("pk", flat=True).first() or 0


def read(form: type[Form], data: Any) -> Said:
    """What a request said, by a form.

    Raises:
        FormError, ValidationError: for the first thing that is wrong.
    """
    asked = form(data=data)
    asked.is_valid(raise_exception=True)
    said: Said = asked.validated_data
    return said
