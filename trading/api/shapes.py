"""Shapes: rows as documents. Amounts are strings, instants RFC 3339 in UTC, and each field is named on purpose."""

from typing import Any

from rest_framework import serializers

from trading.api.fields import Plain
from trading.models.fields import QuantityField


class Shape(serializers.ModelSerializer[Any]):
    """A row, read only."""

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """A quantity as text; every other column as REST framework does."""
        if isinstance(model_field, QuantityField):
            return Plain, {"allow_null": model_field.null}
        return super().build_standard_field(field_name, model_field)

    def include_extra_kwargs(self, kwargs: Any, extra_kwargs: Any) -> Any:
        """Nothing here is ever written, so everything is there in each answer."""
        # What is only read can still be empty: the schema must say so. The framework would forget it.
        empty = {name: True for name in ("allow_null", "allow_blank") if kwargs.get(name)}
        own: Any = super().include_extra_kwargs(kwargs, {**extra_kwargs, "read_only": True})
        return {**own, **empty}


class Document(serializers.Serializer[Any]):
    """What isn't a row: an object's attributes, read only."""

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Everything is there in each answer."""
        fields = super().get_fields()
        for field in fields.values():
            field.read_only, field.required = True, False
        return fields


def text(source: str, **kwargs: Any) -> serializers.CharField:
    """A column of a neighbor as text."""
    return serializers.CharField(source=source, read_only=True, **kwargs)


def account(source: str = "trader.tg_user_id", **kwargs: Any) -> serializers.IntegerField:
    """Whose it is: a Telegram id."""
    return serializers.IntegerField(source=source, read_only=True, **kwargs)
