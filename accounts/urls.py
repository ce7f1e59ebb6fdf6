"""The pages of accounts."""

from django.urls import path

from accounts.views import keys, log, own, people, runs, syncs, webhooks

app_name = "accounts"
urlpatterns = [
    path("users/", people.users, name="users"),
    path("users/new/", people.user_new, name="user-new"),
    path("users/<int:pk>/", people.user_edit, name="user-edit"),
    path("users/<int:pk>/password/", people.user_password, name="user-password"),
    path("users/<int:pk>/active/", people.user_active, name="user-active"),
    path("teams/", people.teams, name="teams"),
    path("teams/new/", people.team_new, name="team-new"),
    path("teams/<int:pk>/", people.team_edit, name="team-edit"),
    path("keys/", keys.keys, name="keys"),
    path("keys/new/", keys.key_new, name="key-new"),
    path("keys/<int:pk>/revoke/", keys.key_revoke, name="key-revoke"),
    path("syncs/", syncs.syncs, name="syncs"),
    path("syncs/export/", syncs.export, name="syncs-export"),
    path("syncs/keys/", syncs.by_key, name="syncs-by-key"),
    path("syncs/<int:pk>/", syncs.sync, name="sync"),
    path("syncs/<int:pk>/again/", syncs.again, name="sync-again"),
    path("syncs/<int:pk>/rejected/", syncs.rejected_export, name="sync-rejected"),
    path("syncs/rejected/<int:pk>/", syncs.rejected, name="rejected"),
    path("webhooks/", webhooks.webhooks, name="webhooks"),
    path("webhooks/new/", webhooks.webhook_new, name="webhook-new"),
    path("webhooks/<int:pk>/", webhooks.webhook, name="webhook"),
    path("webhooks/<int:pk>/edit/", webhooks.webhook_edit, name="webhook-edit"),
    path("webhooks/<int:pk>/export/", webhooks.export, name="webhook-export"),
    path("webhooks/<int:pk>/ping/", webhooks.ping, name="webhook-ping"),
    path("webhooks/<int:pk>/replay/", webhooks.replay_dead, name="webhook-replay"),
    path("webhooks/<int:pk>/pause/", webhooks.pause, name="webhook-pause"),
    path("webhooks/<int:pk>/resume/", webhooks.resume, name="webhook-resume"),
    path("webhooks/<int:pk>/remove/", webhooks.remove, name="webhook-remove"),
    path("webhooks/<int:pk>/restore/", webhooks.restore, name="webhook-restore"),
    path("webhooks/<int:pk>/secret/", webhooks.rotate, name="webhook-secret"),
    path("webhooks/deliveries/<int:pk>/", webhooks.delivery, name="delivery"),
    path("webhooks/deliveries/<int:pk>/replay/", webhooks.replay, name="delivery-replay"),
    path("audit/", log.audit, name="audit"),
    path("jobs/", log.jobs, name="jobs"),
    path("jobs/<int:pk>/", log.job_toggle, name="job-toggle"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/file/", runs.file, name="run-file"),
    path("settings/", own.settings_, name="settings"),
    path("language/", own.language, name="language"),
]
