"""The pages of visits."""

from django.urls import path

from visits import views

app_name = "visits"
urlpatterns = [
    path("today/", views.today, name="today"),
    path("", views.list_, name="list"),
    path("export/", views.export, name="export"),
    path("overdue/", views.overdue, name="overdue"),
    path("overdue/export/", views.overdue_export, name="overdue-export"),
    path("new/", views.new, name="new"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/check-in/", views.check_in, name="check-in"),
    path("<int:pk>/cancel/", views.cancel, name="cancel"),
    path("<int:pk>/missed/", views.miss, name="missed"),
    path("of-customer/<int:pk>/", views.of_customer, name="of-customer"),
    path("sightings/", views.sightings, name="sightings"),
    path("sightings/export/", views.sightings_export, name="sightings-export"),
    path(
        "sightings/of-customer/<int:pk>/",
        views.sightings_of_customer,
        name="sightings-of-customer",
    ),
    path("information/", views.information_list, name="information-list"),
    path("information/export/", views.information_export, name="information-export"),
    path("information/new/", views.information_new, name="information-new"),
    path("information/report/", views.information_report, name="information-report"),
    path("information/<int:pk>/", views.information, name="information"),
    path("information/<int:pk>/edit/", views.information_edit, name="information-edit"),
    path("information/<int:pk>/send/", views.information_send, name="information-send"),
    path("information/<int:pk>/letter/", views.information_letter, name="information-letter"),
    path(
        "information/of-customer/<int:pk>/",
        views.information_of_customer,
        name="information-of-customer",
    ),
    path("information/sent/", views.sendings, name="sendings"),
    path("information/sent/export/", views.sendings_export, name="sendings-export"),
    path("information/sent/undo/", views.sending_undo, name="sending-undo"),
    path("information/sent/<int:pk>/", views.sending_outcome, name="sending-outcome"),
    path("information/sent/<int:pk>/wait/", views.sending_wait, name="sending-wait"),
    path("information/sent/<int:pk>/take-back/", views.sending_take_back, name="sending-take-back"),
    path("information/suggestions/", views.suggestions, name="suggestions"),
    path("information/suggestions/export/", views.suggestions_export, name="suggestions-export"),
    path("information/suggestions/due/", views.suggestions_due, name="suggestions-due"),
    path("information/suggestions/new/", views.suggestion_new, name="suggestion-new"),
    path("information/suggestions/<int:pk>/", views.suggestion, name="suggestion"),
    path("information/suggestions/<int:pk>/edit/", views.suggestion_edit, name="suggestion-edit"),
    path(
        "information/suggestions/<int:pk>/outcome/",
        views.suggestion_settle,
        name="suggestion-settle",
    ),
    path(
        "information/suggestions/<int:pk>/reopen/",
        views.suggestion_reopen,
        name="suggestion-reopen",
    ),
    path("plan/", views.plan, name="plan"),
    path("reminders/", views.reminders, name="reminders"),
    path("reminders/<int:pk>/done/", views.reminder_done, name="reminder-done"),
    path("cadences/", views.cadences, name="cadences"),
]
