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
    path("plan/", views.plan, name="plan"),
    path("reminders/", views.reminders, name="reminders"),
    path("reminders/<int:pk>/done/", views.reminder_done, name="reminder-done"),
    path("cadences/", views.cadences, name="cadences"),
]
