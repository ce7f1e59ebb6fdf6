"""What is done to accounts: let people in, keep them out, send them a link, make a key."""

from __future__ import annotations

import logging
import secrets
from datetime import datetime
from smtplib import SMTPException

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.core.exceptions import ValidationError
from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts import exports, jobs
from accounts.models import IdempotentResponse, User
from accounts.roles import Role
from crm.lib.idempotency import LIFETIME

log = logging.getLogger(__name__)

#: Letters and digits that are not taken for each other when read out or written down.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
#: The account that API keys act for unless another one is chosen.
BUILT_IN = "integration"


@transaction.atomic
def save_user(*, user: User, by: User) -> None:
    """Store `user` as an administrator has changed it.

    Refuses to take the own right away from oneself, and to leave nobody who could let others in.
    """
    # Locked, so that two administrators cannot put each other out at the same moment.
    administrators = set(
        User.objects.administrators().select_for_update().values_list("pk", flat=True)
    )
    stays = user.is_active and (user.is_superuser or user.role == Role.ADMINISTRATOR)
    if user.pk == by.pk and not stays:
        raise ValidationError(
            _("You cannot take away your own right. Ask another administrator."),
            code="own_account",
        )
    if administrators == {user.pk} and not stays:
        raise ValidationError(
            _("This is the last administrator. Make another one first."), code="last_administrator"
        )
    user.save()


def let_in(*, user: User, by: User, active: bool) -> None:
    """Let `user` sign in, or not any more: sessions and keys of the account stop at once."""
    user.is_active = active
    save_user(user=user, by=by)


def set_temporary_password(*, user: User) -> str:
    """Give `user` a random password and return it, once; the old one stops working."""
    password = "-".join("".join(secrets.choice(READABLE) for _n in range(4)) for _part in range(3))
    user.set_password(password)
    user.save()
    return password


def send_password_link(*, user: User) -> bool:
    """Mail `user` a link, in the user's language, under which a new password can be set.

    False where the mail could not be handed over; why is in the log, so that the page of a
    stranger looks the same whether or not the address is known.
    """
    uid, token = user_pk_to_url_str(user), default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
    context = {
        "person": user,
        "company": settings.COMPANY_NAME,
        "url": f"{settings.BASE_URL}{path}",
        "days": settings.PASSWORD_RESET_TIMEOUT // (24 * 3600),
    }
    with translation.override(user.language):
        subject = render_to_string("account/email/password_link_subject.txt", context)
        text = render_to_string("account/email/password_link_message.txt", context)
    try:
        send_mail(" ".join(subject.split()), text, None, [user.email])
    except (OSError, SMTPException):
        log.exception("The mail with a password link to user %s could not be sent", user.pk)
        return False
    return True


def integration_account() -> User:
    """The built-in account of API keys, made when it is first needed; nobody can sign in to it."""
    with translation.override(settings.LANGUAGE_CODE):
        name = _("Integration")
    user: User
    user, _made = User.objects.get_or_create(
        username=BUILT_IN,
        defaults={
            "name": name,
            "role": Role.INTEGRATION,
            "password": make_password(None),
        },
    )
    if user.role != Role.INTEGRATION or not user.is_active:
        raise ValidationError(
            _("The account “%(name)s” is no active integration account."),
            code="no_integration",
            params={"name": BUILT_IN},
        )
    return user


def clear_expired(*, now: datetime) -> None:
    """Delete what has run out: answers kept for retries, sessions, exported files, old jobs."""
    IdempotentResponse.objects.filter(created_at__lte=now - LIFETIME).delete()
    Session.objects.filter(expire_date__lt=now).delete()
    exports.clear(now=now)
    jobs.clear(now=now)
