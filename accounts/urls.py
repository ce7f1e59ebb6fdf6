"""The pages of accounts."""

from django.urls import path

from accounts.views import keys, log, own, people, runs

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
    path("syncs/", log.syncs, name="syncs"),
    path("syncs/<int:pk>/", log.sync, name="sync"),
    path("audit/", log.audit, name="audit"),
    path("jobs/", log.jobs, name="jobs"),
    path("jobs/<int:pk>/", log.job_toggle, name="job-toggle"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/file/", runs.file, name="run-file"),
    path("settings/", own.settings_, name="settings"),
    path("language/", own.language, name="language"),
]
