"""Policies, runs and changes as the API reads and writes them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.lib.api import DayField, MomentField, RecordSerializer
from tiers import classes
from tiers.models import ClassChange, TierChange, TierPolicy, TierRun
from tiers.reasons import explain

LARGEST_ID = 2**63 - 1


class TierPolicySerializer(RecordSerializer[TierPolicy]):
    """How customers are judged: window, lines, measure, groups, patience, loyalty and weights.

    `leaving_below` is the chance of being alive (0–1) below which a customer leaves silently, until
    it has bought nothing for `gone_after_days`; `silence_days` is how long a customer of one order
    is silent before it counts as stopped. Where the measure is margin, value at risk is, too.
    Without `effective_from` it is a draft, which only trials judge by.
    """

    class Meta:
        model = TierPolicy
        fields = (
            "id",
            "name",
            "revision",
            "effective_from",
            "window_months",
            "a_share",
            "b_share",
            "measure",
            "ranked_within",
            "downgrade_runs",
            "loyal_months",
            "loyal_wallet_share",
            "most_sightings",
            "early_launches",
            "launch_days",
            "switcher_months",
            "key_weights",
            "key_from",
            "potential_weights",
            "leaving_below",
            "gone_after_days",
            "silence_days",
            "created_at",
            "updated_at",
        )


class NewPolicySerializer(TierPolicySerializer):
    """A new version, or without `effective_from` a draft; what is left out stays as it is now."""

    class Meta(TierPolicySerializer.Meta):
        read_only_fields = ("revision",)
        extra_kwargs = {"name": {"required": False}}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The whole policy is looked at once its revision is known."""
        return attrs


class CountsSerializer(serializers.Serializer[Any]):
    """How many customers each tier has."""

    A = serializers.IntegerField()
    B = serializers.IntegerField()
    C = serializers.IntegerField()
    unranked = serializers.IntegerField()


class LoyaltyCountsSerializer(serializers.Serializer[Any]):
    """How many customers each loyalty class has."""

    loyal = serializers.IntegerField()
    switcher = serializers.IntegerField()
    none = serializers.IntegerField()


class TierRunSerializer(serializers.ModelSerializer[TierRun]):
    """One computation of all tiers; `counts` come when it is done.

    `held` counts downgrades that wait for further runs, `overridden` tiers that people have set,
    `proposed` customers whose score makes them key accounts to be confirmed; `without_margin` is
    how many orders of the window have no lines or a line without a cost, so that a part of their
    margin is unknown and left out; null where no margin was worked out.
    """

    counts = serializers.SerializerMethodField()
    loyalty_counts = serializers.SerializerMethodField()
    created_at = MomentField(read_only=True)
    started_at = MomentField(read_only=True, allow_null=True)
    finished_at = MomentField(read_only=True, allow_null=True)
    error = serializers.CharField(source="get_error_display", read_only=True)

    class Meta:
        model = TierRun
        fields = (
            "id",
            "state",
            "progress",
            "as_of",
            "policy",
            "dry_run",
            "counts",
            "moved",
            "loyalty_counts",
            "held",
            "overridden",
            "proposed",
            "without_margin",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field(CountsSerializer(allow_null=True))
    def get_counts(self, run: TierRun) -> dict[str, int] | None:
        return run.counts or None

    @extend_schema_field(LoyaltyCountsSerializer(allow_null=True))
    def get_loyalty_counts(self, run: TierRun) -> dict[str, int] | None:
        return run.loyalty_counts or None


class RunRequestSerializer(serializers.Serializer[Any]):
    """What is asked of a run. Without `policy`, the one in force on the day decides."""

    as_of = DayField(help_text="The last day that counts.")
    policy = serializers.IntegerField(
        min_value=1, max_value=LARGEST_ID, required=False, allow_null=True
    )
    dry_run = serializers.BooleanField(
        default=False, help_text="Count and compare, but change no customer."
    )

    def validate_policy(self, pk: int | None) -> TierPolicy | None:
        if pk is None:
            return None
        user = self.context["request"].user
        policy = TierPolicy.objects.visible_to(user).filter(pk=pk).first()
        if policy is None:
            raise serializers.ValidationError(_("There is no such policy."))
        return policy


class TierChangeSerializer(serializers.ModelSerializer[TierChange]):
    """One customer's move from one tier to another, with the numbers that explain it (P12).

    `measured` is what it was ranked by, among the `ranked` customers of `ranked_in` (a kind or
    the first digits of a division; empty for the company). `cause` says what moved it: the run,
    an override that began or one that expired. `after_runs` is in how many runs in a row a
    downgrade was proposed.
    """

    customer_external_id = serializers.CharField(source="customer.external_id", allow_null=True)
    customer_name = serializers.CharField(source="customer.name")
    changed_at = MomentField(read_only=True)
    reason = serializers.SerializerMethodField()

    class Meta:
        model = TierChange
        fields = (
            "id",
            "customer",
            "customer_external_id",
            "customer_name",
            "from_tier",
            "to_tier",
            "cause",
            "changed_at",
            "net_amount",
            "net_before",
            "measured",
            "ranked_in",
            "rank",
            "rank_before",
            "ranked",
            "share_before",
            "share",
            "after_runs",
            "reason",
        )
        read_only_fields = fields

    def get_reason(self, change: TierChange) -> str:
        return explain(change)


class ClassChangeSerializer(serializers.ModelSerializer[ClassChange]):
    """A loyalty class that became another, or a key-account score that came over or under the line.

    `from_loyalty` and `to_loyalty` are null for no class, and the same where only the score tells
    something. A score of `line` or more proposes a key account; `line_before` is that of the run
    before, null where none had seen the customer.
    """

    customer_external_id = serializers.CharField(source="customer.external_id", allow_null=True)
    customer_name = serializers.CharField(source="customer.name")
    changed_at = MomentField(read_only=True)
    reason = serializers.SerializerMethodField()

    class Meta:
        model = ClassChange
        fields = (
            "id",
            "customer",
            "customer_external_id",
            "customer_name",
            "from_loyalty",
            "to_loyalty",
            "changed_at",
            "months_bought",
            "wallet_share",
            "early_launches",
            "sightings",
            "score_before",
            "score",
            "line_before",
            "line",
            "reason",
        )
        read_only_fields = fields

    def get_reason(self, change: ClassChange) -> str:
        return classes.explain(change)
