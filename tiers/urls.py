"""The pages of tiers."""

from django.urls import path

from tiers.views import (
    files,
    leaving,
    pareto,
    policies,
    question_customers,
    questions,
    report,
    runs,
    share,
    simulator,
)

app_name = "tiers"
urlpatterns = [
    path("", report.report, name="report"),
    path("export/", report.export, name="export"),
    path("runs/", runs.runs, name="runs"),
    path("runs/start/", runs.run_start, name="run-start"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/progress/", runs.run_progress, name="run-progress"),
    path("runs/<int:pk>/export/", runs.run_export, name="run-export"),
    path("runs/<int:pk>/visits/", simulator.visits_export, name="trial-visits"),
    path("runs/<int:pk>/adopt/", simulator.adopt, name="trial-adopt"),
    path("runs/<int:pk>/drop/", simulator.drop, name="trial-drop"),
    path("policies/", policies.policies, name="policies"),
    path("policies/new/", policies.policy_new, name="policy-new"),
    path("policies/<int:pk>/", policies.policy, name="policy"),
    path("policies/<int:pk>/edit/", policies.policy_edit, name="policy-edit"),
    path("policies/<int:pk>/take-back/", policies.policy_take_back, name="policy-take-back"),
    path("customer-share/", share.calculate, name="share"),
    path("customer-share/compare/", share.compare, name="share-compare"),
    path("customer-share/export/", share.export, name="share-export"),
    path("customer-share/<int:pk>/", share.scenario, name="share-scenario"),
    path("customer-share/<int:pk>/delete/", share.delete, name="share-delete"),
    path("customer-share/<int:pk>/restore/", share.restore, name="share-restore"),
    path("questions/", questions.questions, name="questions"),
    path("questions/export/", questions.export, name="questions-export"),
    path("questions/part/", questions.part, name="question-part"),
    path("questions/customers/", question_customers.customers, name="question-customers"),
    path(
        "questions/customers/export/",
        question_customers.customers_export,
        name="question-customers-export",
    ),
    path("questions/pareto/", pareto.pareto, name="pareto"),
    path("questions/pareto/export/", pareto.export, name="pareto-export"),
    path("leaving/", leaving.leaving, name="leaving"),
    path("leaving/estimate/", leaving.estimate, name="leaving-estimate"),
    path("leaving/export/", leaving.export, name="leaving-export"),
    path("leaving/<int:pk>/", leaving.outlook, name="outlook"),
    path("leaving/<int:pk>/staying/", leaving.staying, name="staying"),
    path("leaving/<int:pk>/staying/undo/", leaving.staying_undo, name="staying-undo"),
    path("of-customer/<int:pk>/", files.of_customer, name="of-customer"),
]
