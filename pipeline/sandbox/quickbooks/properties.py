"""Which properties each entity has: anything else in a body is refused.

Holds: the names, and the checks of names and ids that come before any rule. The names are those of
Intuit's schema plus what published clients send. Keeps out: what a property may be.
"""

from typing import Any

from pipeline.sandbox.quickbooks.books import Record
from pipeline.sandbox.quickbooks.faults import FaultError

_HEAD = "Id SyncToken domain sparse MetaData status NameAndId overview AttachableRef CustomField"
_PERSON = (
    "Title GivenName MiddleName FamilyName Suffix DisplayName PrintOnCheckName Active CompanyName "
    "FullyQualifiedName PrimaryPhone AlternatePhone Mobile Fax PrimaryEmailAddr WebAddr BillAddr "
    "ShipAddr PrimaryAddr CurrencyRef Balance BillRate CostRate Notes Organization "
    "ClientEntityId V4IDPseudonym"
)
_PROPERTIES = {
    "TimeActivity": (
        "NameOf EmployeeRef VendorRef OtherNameRef TxnDate Hours Minutes Seconds StartTime EndTime "
        "BreakHours BreakMinutes BreakSeconds CustomerRef ItemRef ClassRef DepartmentRef "
        "ProjectRef PayrollItemRef BillableStatus Taxable HourlyRate CostRate Description "
        "TransactionLocationType TimeZone HoursInEmployeeTimeZone TimeChargeId LinkedTxn"
    ),
    "Employee": _PERSON + " SSN EmployeeNumber BirthDate Gender HiredDate ReleasedDate "
    "BillableTime EmailAddress UseTimeEntry EmployeeType",
    "Vendor": _PERSON + " TaxIdentifier AcctNum Vendor1099 TaxReportingBasis TermRef "
    "APAccountRef OtherContactInfo HasTPAR",
    "Customer": _PERSON + " IsProject Job BillWithParent ParentRef Level Taxable "
    "BalanceWithJobs OpenBalanceDate PreferredDeliveryMethod ResaleNum PrimaryTaxIdentifier "
    "DefaultTaxCodeRef SalesTermRef PaymentMethodRef ARAccountRef TaxExemptionReasonId",
    "Item": "Name FullyQualifiedName Description Active SubItem ParentRef Level Type Taxable "
    "UnitPrice PurchaseCost PurchaseDesc Sku TrackQtyOnHand QtyOnHand InvStartDate "
    "IncomeAccountRef ExpenseAccountRef AssetAccountRef SalesTaxCodeRef PurchaseTaxCodeRef "
    "SalesTaxIncluded PurchaseTaxIncluded AbatementRate ReverseChargeRate ServiceType "
    "ItemCategoryType DeferredRevenue",
}
PROPERTIES = {entity: {*_HEAD.split(), *names.split()} for entity, names in _PROPERTIES.items()}
"""Each entity's properties."""
_REFERENCE = {"value", "name", "type"}
_UNREFERENCED = {"AttachableRef"}
_OBJECTS = (
    "MetaData NameAndId CustomField LinkedTxn PrimaryPhone AlternatePhone Mobile Fax "
    "PrimaryEmailAddr WebAddr BillAddr ShipAddr PrimaryAddr EmailAddress OtherContactInfo"
)
_STRUCTURED = set(_OBJECTS.split())


def check_properties(entity: str, body: Record) -> None:
    """Refuse a body with a property that the entity does not have, or an id that is no number.

    Raises:
        FaultError: 2010 or 2030; 6000 for a reference without a value.
    """
    for name, value in body.items():
        if name not in PROPERTIES[entity]:
            raise _unknown(name, entity)
        if value is None or name in _UNREFERENCED or name in _STRUCTURED:
            continue
        if name.endswith("Ref"):
            _check_reference(entity, name, value)
        elif isinstance(value, dict | list):
            raise _unknown(name, entity)
    if body.get("Id") is not None:
        check_id(body["Id"], "Id")


def check_id(value: Any, element: str) -> str:  # noqa: ANN401  # whatever JSON holds
    """Return an id as a string.

    Raises:
        FaultError: 2030, it is not a whole number.
    """
    if isinstance(value, bool) or not str(value).lstrip("-").isdecimal():
        detail = f"Id should be a valid number. Supplied value:{value}"
        raise FaultError("2030", detail, element)
    return str(value)


def _check_reference(entity: str, name: str, ref: Any) -> None:  # noqa: ANN401  # whatever JSON holds
    if not isinstance(ref, dict):
        raise _unknown(name, entity)
    for key in ref:
        if key not in _REFERENCE:
            raise _unknown(key, "ReferenceType")
    if ref.get("value") in (None, ""):
        raise FaultError(
            "6000", "Business Validation Error: Unexpected Internal Error. (-30003)", name
        )
    if name != "CurrencyRef":
        check_id(ref["value"], name)


def _unknown(name: str, entity: str) -> FaultError:
    count = len(PROPERTIES.get(entity, _REFERENCE))
    return FaultError(
        "2010",
        f'Property Name:Unrecognized field "{name}" (class com.intuit.schema.finance.v3.{entity}), '
        f"not marked as ignorable ({count} known properties) specified is unsupported or invalid",
    )
