"""Phone numbers: reading what people and systems write, storing E.164, showing it in groups.

A number without a country is Chinese. An extension stands behind the number as RFC 3966 writes it:
`+8657585123456;ext=801`. What cannot be read is nobody's number: forms and the API refuse it, the
bulk sync keeps it as it came, since a customer must not be lost for a phone.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from phonenumbers import PhoneNumber, PhoneNumberFormat

HOME = "CN"
HOME_CODE = 86
#: New ranges of mobile numbers open more often than libraries are brought up to date.
MOBILE = re.compile(r"1[3-9]\d{9}")
STORED = re.compile(r"(\+[1-9]\d{4,14})(?:;ext=(\d{1,7}))?")
_STRANGE = re.compile(r"[^\d+()\-\s.]")
_EXTENSION = re.compile(
    r"\s*(?:;?\s*ext\.?|转接?|分机号?|内线|x|\#|\*)\s*[:.=]?\s*(\d{1,7})\s*$", re.IGNORECASE
)
_BARE_EXTENSION = re.compile(r"(.*\d[\s)]*)[-\s](\d{1,6})\s*$")
_BETWEEN = re.compile(r"[/、,;，；|\n]|\bor\b|或|和")
_DASHES = re.compile(r"[‐‑‒–—―−─ー~～]")
_NOTE = re.compile(r"^\s*(?:电话|手机|座机|联系电话|tel|phone|mobile)\s*[.:：]?\s*", re.IGNORECASE)


def parse(text: str) -> str:
    """The number in `text` as E.164, with `;ext=` where there is an extension; "" for nothing.

    Raises ValidationError that says what is wrong, in the reader's language.
    """
    plain = _tidy(text)
    if not plain:
        return ""
    found = _read(plain)
    if found:
        return found
    if len(_pieces(plain)) > 1:
        raise ValidationError(_("Write one number only."), code="phone")
    raise ValidationError(_fault(plain), code="phone")


def stored(text: str) -> str:
    """The number in `text` as E.164 where it can be read, otherwise `text` as it is."""
    return _read(_tidy(text)) or text


def numbers(text: str) -> list[str]:
    """Every number that can be read in `text`, as E.164: some write two in one field."""
    plain = _tidy(text)
    whole = _read(plain)
    found = [whole] if whole else [number for piece in _pieces(plain) if (number := _read(piece))]
    return list(dict.fromkeys(found))


def display(phone: str) -> str:
    """A stored number in the groups people read it in: 138 0013 8000, 0575 8512 3456.

    Foreign numbers keep their country code; what was stored unread is shown as it is.
    """
    number = _split(phone)
    if number is None:
        return phone
    home = number.country_code == HOME_CODE
    extension, number.extension = number.extension, None
    words = phonenumbers.format_number(
        number, PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    )
    if _is_mobile(number):  # also those of ranges that the library does not know yet
        digits = str(number.national_number)
        words = f"{digits[:3]} {digits[3:7]} {digits[7:]}"
    if not extension:
        return str(words)
    return _("%(number)s ext. %(extension)s") % {"number": words, "extension": extension}


def dial(phone: str) -> str:
    """What stands behind `tel:`: E.164, the extension after a pause; "" if nothing can be dialled.

    400 and 800 numbers are reached from inside China only, without the country code.
    """
    number = _split(phone) or next(map(_split, numbers(phone)), None)
    if number is None:
        return ""
    if number.country_code == HOME_CODE and not phonenumbers.can_be_internationally_dialled(number):
        target = str(number.national_number)
    else:
        target = phonenumbers.format_number(_bare(number), PhoneNumberFormat.E164)
    return f"{target},{number.extension}" if number.extension else target


def national(phone: str) -> str:
    """The digits that people in China type: 13800138000, 057585123456; foreign ones with their
    country code, "" where `phone` was stored unread. Extensions are left out."""
    number = _split(phone)
    if number is None:
        return ""
    home = number.country_code == HOME_CODE
    words = phonenumbers.format_number(
        _bare(number), PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.E164
    )
    return re.sub(r"\D", "", words)


@lru_cache(maxsize=4096)
def _read(plain: str) -> str:
    """The number that tidy text holds as a whole; "" if it is none."""
    bare = re.sub(r"[\s()\-.]", "", plain)
    mobile = bare.removeprefix("+86").removeprefix("0086")
    if MOBILE.fullmatch(mobile):
        return f"+86{mobile}"
    extension = ""
    if marked := _EXTENSION.search(plain):
        plain, extension = plain[: marked.start()], marked[1]
    if _STRANGE.search(plain):
        return ""
    if number := _valid(plain):
        return _written(number, extension)
    tail = _BARE_EXTENSION.fullmatch(plain)
    if tail and not extension and (number := _valid(tail[1])) and not _is_mobile(number):
        return _written(number, tail[2])
    return ""


def _is_mobile(number: PhoneNumber) -> bool:
    return number.country_code == HOME_CODE and bool(MOBILE.fullmatch(str(number.national_number)))


def _valid(plain: str) -> PhoneNumber | None:
    try:
        number = phonenumbers.parse(plain, HOME)
    except phonenumbers.NumberParseException:
        return None
    digits = str(number.national_number)
    home = number.country_code == HOME_CODE
    good = (home and MOBILE.fullmatch(digits)) or phonenumbers.is_valid_number(number)
    return number if good else None


def _written(number: PhoneNumber, extension: str) -> str:
    text = str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    return f"{text};ext={extension}" if extension else text


def _bare(number: PhoneNumber) -> PhoneNumber:
    bare = PhoneNumber()
    bare.merge_from(number)
    bare.extension = None
    return bare


def _split(phone: str) -> PhoneNumber | None:
    """A stored number in its parts; None for what was stored unread."""
    match = STORED.fullmatch(phone or "")
    number = _valid(match[1]) if match else None
    if match and number:
        number.extension = match[2]
    return number


def _tidy(text: str) -> str:
    """Full-width digits and signs made plain, dashes of all kinds made hyphens, no label."""
    plain = unicodedata.normalize("NFKC", text or "")
    return _NOTE.sub("", _DASHES.sub("-", plain)).strip()


def _pieces(plain: str) -> list[str]:
    """The parts of text that holds several numbers."""
    pieces = [piece.strip() for piece in _BETWEEN.split(plain) if re.search(r"\d", piece)]
    if len(pieces) > 1:
        return pieces
    words = plain.split()
    return words if len(words) > 1 and all(_read(word) for word in words) else [plain]


def _fault(plain: str) -> str:
    """Why tidy text is no phone number."""
    if marked := _EXTENSION.search(plain):
        plain = plain[: marked.start()]
    digits = re.sub(r"\D", "", plain)
    if not digits or _STRANGE.search(plain):
        return _("A phone number has digits, spaces and the signs + - ( ) only.")
    abroad = plain.startswith(("+", "00")) and not re.match(r"(\+|00)86", plain.replace(" ", ""))
    if abroad:
        return ngettext(
            "There is no number abroad with this country code and %(number)d digit.",
            "There is no number abroad with this country code and %(number)d digits.",
            len(digits),
        ) % {"number": len(digits)}
    digits = re.sub(r"^(00)?86(?=[01]|400)", "", digits)
    return _fault_at_home(digits)


def _fault_at_home(digits: str) -> str:
    count = len(digits)
    if re.match(r"1[3-9]", digits):
        return _("A mobile number has 11 digits, now %(number)d.") % {"number": count}
    if re.match(r"[48]00", digits):
        return _("A 400 or 800 number has 10 digits, now %(number)d.") % {"number": count}
    if digits.startswith("0"):
        area = digits[: 3 if re.match(r"0(10|2)", digits) else 4]
        local = count - len(area)
        if local == 8:
            return _("There is no such number in the area code %(area)s.") % {"area": area}
        return _(
            "After the area code %(area)s come 7 or 8 digits, as the place has it; now %(number)d."
        ) % {"area": area, "number": local}
    if count in {7, 8}:
        return _("Write the area code before a landline number, such as 0575.")
    return ngettext(
        "No phone number has this form with %(number)d digit.",
        "No phone number has this form with %(number)d digits.",
        count,
    ) % {"number": count}
