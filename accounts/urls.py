"""The pages of accounts."""

from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("users/", views.users, name="users"),
    path("users/new/", views.user_new, name="user-new"),
    path("users/<int:pk>/", views.user_edit, name="user-edit"),
    path("teams/", views.teams, name="teams"),
    path("teams/new/", views.team_new, name="team-new"),
    path("teams/<int:pk>/", views.team_edit, name="team-edit"),
    path("keys/", views.keys, name="keys"),
    path("keys/new/", views.key_new, name="key-new"),
    path("keys/<int:pk>/revoke/", views.key_revoke, name="key-revoke"),
    path("syncs/", views.syncs, name="syncs"),
    path("syncs/<int:pk>/", views.sync, name="sync"),
    path("audit/", views.audit, name="audit"),
    path("jobs/", views.jobs, name="jobs"),
    path("settings/", views.settings_, name="settings"),
    path("language/", views.language, name="language"),
]
