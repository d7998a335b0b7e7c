"""Columns that hold quantities: NUMERIC at the unit's scale in PostgreSQL, the typed value in Python."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.expressions import Combinable

from trading.domain.units import Leverage, NotExact, Percent, Price, Quantity, Usdc, Wei


class QuantityField(models.DecimalField):  # type: ignore[type-arg]  # each unit says its own types
    """A decimal column whose Python value is one quantity type.

    Digits: 30 before the point hold every amount that a trillion-dollar desk could meet.
    """

    unit: type[Quantity] = Quantity
    # What django-stubs' plugin reads: the types that may be set, and that come back. Each unit says its own.
    _pyi_private_set_type: Any
    _pyi_private_get_type: Any
    _pyi_lookup_exact_type: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"] = 30 + self.unit.SCALE
        kwargs["decimal_places"] = self.unit.SCALE
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Leave out what the unit already says."""
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def from_db_value(self, value: Decimal | None, *_: object) -> Quantity | None:
        """The typed value of a column."""
        return None if value is None else self.unit.of(value)

    def to_python(self, value: object) -> Any:
        """The typed value of what a form or a caller gave."""
        if value is None or isinstance(value, self.unit):
            return value
        if isinstance(value, int | str | Decimal):
            try:
                return self.unit.of(value)
            except NotExact as error:
                raise ValidationError(error.message) from None
        raise ValidationError(f"not a {self.unit.__name__}")

    def get_prep_value(self, value: object) -> Decimal | None:
        """The decimal that PostgreSQL stores; another unit is refused here, before it can be mixed up."""
        # An F() or a Value() passes as it is.
        quantity: Any = value if hasattr(value, "resolve_expression") else self.to_python(value)
        return quantity.decimal if isinstance(quantity, Quantity) else quantity

    def get_db_prep_value(self, value: object, *_: object, **__: object) -> Any:
        """As `get_prep_value`; Django's own would format the quantity as it does a float."""
        return value if isinstance(value, Decimal) else self.get_prep_value(value)

    def get_db_prep_save(self, value: object, *_: object, **__: object) -> Any:
        """As `get_prep_value`."""
        return self.get_prep_value(value)

    def value_to_string(self, obj: models.Model) -> str:
        """The human's number."""
        return str(self.value_from_object(obj))

    @property
    def validators(self) -> list[Callable[[Any], None]]:
        """None: the unit refuses what doesn't fit."""
        return []


class UsdcField(QuantityField):
    """US dollars, scale 6."""

    unit = Usdc
    _pyi_private_set_type: Usdc | Combinable
    _pyi_private_get_type: Usdc
    _pyi_lookup_exact_type: Usdc | Combinable


class PriceField(QuantityField):
    """Dollars for a coin, scale 10."""

    unit = Price
    _pyi_private_set_type: Price | Combinable
    _pyi_private_get_type: Price
    _pyi_lookup_exact_type: Price | Combinable


class LeverageField(QuantityField):
    """Notional over collateral, scale 10."""

    unit = Leverage
    _pyi_private_set_type: Leverage | Combinable
    _pyi_private_get_type: Leverage
    _pyi_lookup_exact_type: Leverage | Combinable


class PercentField(QuantityField):
    """Hundredths, scale 10."""

    unit = Percent
    _pyi_private_set_type: Percent | Combinable
    _pyi_private_get_type: Percent
    _pyi_lookup_exact_type: Percent | Combinable


class WeiField(QuantityField):
    """The chain's own coin, scale 0."""

    unit = Wei
    _pyi_private_set_type: Wei | Combinable
    _pyi_private_get_type: Wei
    _pyi_lookup_exact_type: Wei | Combinable
