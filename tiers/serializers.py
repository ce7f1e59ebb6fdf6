"""Policies, runs and changes as the API reads and writes them."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.lib.api import DayField, MomentField, RecordSerializer
from tiers.models import TierChange, TierPolicy, TierRun
from tiers.reasons import explain

LARGEST_ID = 2**63 - 1


class TierPolicySerializer(RecordSerializer[TierPolicy]):
    """How customers are ranked: the window, and the shares at which A and B end."""

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
            "created_at",
            "updated_at",
        )


class CountsSerializer(serializers.Serializer[Any]):
    """How many customers each tier has."""

    A = serializers.IntegerField()
    B = serializers.IntegerField()
    C = serializers.IntegerField()
    unranked = serializers.IntegerField()


class TierRunSerializer(serializers.ModelSerializer[TierRun]):
    """One computation of all tiers; `counts` come when it is done."""

    counts = serializers.SerializerMethodField()
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
            "error",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    @extend_schema_field(CountsSerializer(allow_null=True))
    def get_counts(self, run: TierRun) -> dict[str, int] | None:
        return run.counts or None


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
    """One customer's move from one tier to another, with the numbers that explain it (P12)."""

    customer_external_id = serializers.CharField(source="customer.external_id", allow_null=True)
    customer_name = serializers.CharField(source="customer.name")
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
            "net_amount",
            "net_before",
            "rank",
            "rank_before",
            "ranked",
            "share_before",
            "reason",
        )
        read_only_fields = fields

    def get_reason(self, change: TierChange) -> str:
        return explain(change)
