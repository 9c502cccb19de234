"""Every call of Orb's public API, as its official Python client makes them."""

from __future__ import annotations

import re
from typing import NamedTuple


class OrbCall(NamedTuple):
    name: str  # below the client: `customers.create`
    method: str
    path: str  # under /v1

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"{(\w+)}", self.path)


_TEXT = """
    alerts.retrieve GET /alerts/{alert_id}
    alerts.update PUT /alerts/{alert_configuration_id}
    alerts.list GET /alerts
    alerts.delete DELETE /alerts/{alert_configuration_id}
    alerts.create_for_customer POST /alerts/customer_id/{customer_id}
    alerts.create_for_external_customer POST /alerts/external_customer_id/{external_customer_id}
    alerts.create_for_plan POST /alerts/plan_id/{plan_id}
    alerts.create_for_subscription POST /alerts/subscription_id/{subscription_id}
    alerts.disable POST /alerts/{alert_configuration_id}/disable
    alerts.enable POST /alerts/{alert_configuration_id}/enable
    credit_blocks.retrieve GET /credit_blocks/{block_id}
    credit_blocks.update PUT /credit_blocks/{block_id}
    credit_blocks.delete DELETE /credit_blocks/{block_id}
    credit_blocks.list_invoices GET /credit_blocks/{block_id}/invoices
    credit_notes.create POST /credit_notes
    credit_notes.list GET /credit_notes
    credit_notes.fetch GET /credit_notes/{credit_note_id}
    invoice_line_items.create POST /invoice_line_items
    invoices.create POST /invoices
    invoices.update PUT /invoices/{invoice_id}
    invoices.list GET /invoices
    invoices.delete_line_item DELETE /invoices/{invoice_id}/invoice_line_items/{line_item_id}
    invoices.fetch GET /invoices/{invoice_id}
    invoices.fetch_upcoming GET /invoices/upcoming
    invoices.issue POST /invoices/{invoice_id}/issue
    invoices.issue_summary POST /invoices/summary/{invoice_id}/issue
    invoices.list_summary GET /invoices/summary
    invoices.mark_paid POST /invoices/{invoice_id}/mark_paid
    invoices.pay POST /invoices/{invoice_id}/pay
    invoices.regenerate_invoice_pdf POST /invoices/{invoice_id}/regenerate_invoice_pdf
    invoices.regenerate_receipt_pdf POST /invoices/{invoice_id}/regenerate_receipt_pdf
    invoices.void POST /invoices/{invoice_id}/void
    items.create POST /items
    items.update PUT /items/{item_id}
    items.list GET /items
    items.archive POST /items/{item_id}/archive
    items.fetch GET /items/{item_id}
    license_types.create POST /license_types
    license_types.retrieve GET /license_types/{license_type_id}
    license_types.list GET /license_types
    metrics.create POST /metrics
    metrics.update PUT /metrics/{metric_id}
    metrics.list GET /metrics
    metrics.archive POST /metrics/{metric_id}/archive
    metrics.fetch GET /metrics/{metric_id}
    metrics.unarchive POST /metrics/{metric_id}/unarchive
    subscription_changes.retrieve GET /subscription_changes/{subscription_change_id}
    subscription_changes.list GET /subscription_changes
    subscription_changes.apply POST /subscription_changes/{subscription_change_id}/apply
    subscription_changes.cancel POST /subscription_changes/{subscription_change_id}/cancel
    subscriptions.create POST /subscriptions
    subscriptions.update PUT /subscriptions/{subscription_id}
    subscriptions.list GET /subscriptions
    subscriptions.cancel POST /subscriptions/{subscription_id}/cancel
    subscriptions.fetch GET /subscriptions/{subscription_id}
    subscriptions.fetch_costs GET /subscriptions/{subscription_id}/costs
    subscriptions.fetch_schedule GET /subscriptions/{subscription_id}/schedule
    subscriptions.fetch_usage GET /subscriptions/{subscription_id}/usage
    subscriptions.list_summary GET /subscriptions/summary
    subscriptions.price_intervals POST /subscriptions/{subscription_id}/price_intervals
    subscriptions.redeem_coupon POST /subscriptions/{subscription_id}/redeem_coupon
    subscriptions.schedule_plan_change POST /subscriptions/{subscription_id}/schedule_plan_change
    subscriptions.trigger_phase POST /subscriptions/{subscription_id}/trigger_phase
    subscriptions.unschedule_cancellation POST /subscriptions/{subscription_id}/unschedule_cancellation
    subscriptions.unschedule_fixed_fee_quantity_updates POST
      /subscriptions/{subscription_id}/unschedule_fixed_fee_quantity_updates
    subscriptions.unschedule_pending_plan_changes POST
      /subscriptions/{subscription_id}/unschedule_pending_plan_changes
    subscriptions.update_fixed_fee_quantity POST /subscriptions/{subscription_id}/update_fixed_fee_quantity
    subscriptions.update_trial POST /subscriptions/{subscription_id}/update_trial
    top_level.ping GET /ping
    webhook_endpoints.create POST /webhook_endpoints
    webhook_endpoints.retrieve GET /webhook_endpoints/{webhook_endpoint_id}
    webhook_endpoints.update PUT /webhook_endpoints/{webhook_endpoint_id}
    webhook_endpoints.list GET /webhook_endpoints
    webhook_endpoints.delete DELETE /webhook_endpoints/{webhook_endpoint_id}
    webhook_endpoints.disable POST /webhook_endpoints/{webhook_endpoint_id}/disable
    webhook_endpoints.enable POST /webhook_endpoints/{webhook_endpoint_id}/enable
    plans.external_plan_id.update PUT /plans/external_plan_id/{other_external_plan_id}
    plans.external_plan_id.fetch GET /plans/external_plan_id/{external_plan_id}
    plans.migrations.retrieve GET /plans/{plan_id}/migrations/{migration_id}
    plans.migrations.list GET /plans/{plan_id}/migrations
    plans.migrations.cancel POST /plans/{plan_id}/migrations/{migration_id}/cancel
    plans.create POST /plans
    plans.update PUT /plans/{plan_id}
    plans.list GET /plans
    plans.fetch GET /plans/{plan_id}
    beta.create_plan_version POST /plans/{plan_id}/versions
    beta.fetch_plan_version GET /plans/{plan_id}/versions/{version}
    beta.set_default_plan_version POST /plans/{plan_id}/set_default_version
    beta.external_plan_id.create_plan_version POST /plans/external_plan_id/{external_plan_id}/versions
    beta.external_plan_id.fetch_plan_version GET /plans/external_plan_id/{external_plan_id}/versions/{version}
    beta.external_plan_id.set_default_plan_version POST
      /plans/external_plan_id/{external_plan_id}/set_default_version
    customers.balance_transactions.create POST /customers/{customer_id}/balance_transactions
    customers.balance_transactions.list GET /customers/{customer_id}/balance_transactions
    customers.costs.list GET /customers/{customer_id}/costs
    customers.costs.list_by_external_id GET /customers/external_customer_id/{external_customer_id}/costs
    customers.create POST /customers
    customers.update PUT /customers/{customer_id}
    customers.list GET /customers
    customers.delete DELETE /customers/{customer_id}
    customers.create_portal_session POST /customers/{customer_id}/portal_sessions
    customers.create_portal_session_by_external_id POST
      /customers/external_customer_id/{external_customer_id}/portal_sessions
    customers.fetch GET /customers/{customer_id}
    customers.fetch_by_external_id GET /customers/external_customer_id/{external_customer_id}
    customers.sync_payment_methods_from_gateway POST
      /customers/{customer_id}/sync_payment_methods_from_gateway
    customers.sync_payment_methods_from_gateway_by_external_customer_id POST
      /customers/external_customer_id/{external_customer_id}/sync_payment_methods_from_gateway
    customers.update_by_external_id PUT /customers/external_customer_id/{id}
    customers.credits.list GET /customers/{customer_id}/credits
    customers.credits.list_by_external_id GET /customers/external_customer_id/{external_customer_id}/credits
    customers.credits.ledger.list GET /customers/{customer_id}/credits/ledger
    customers.credits.ledger.create_entry POST /customers/{customer_id}/credits/ledger_entry
    customers.credits.ledger.create_entry_by_external_id POST
      /customers/external_customer_id/{external_customer_id}/credits/ledger_entry
    customers.credits.ledger.list_by_external_id GET
      /customers/external_customer_id/{external_customer_id}/credits/ledger
    customers.credits.top_ups.create POST /customers/{customer_id}/credits/top_ups
    customers.credits.top_ups.list GET /customers/{customer_id}/credits/top_ups
    customers.credits.top_ups.delete DELETE /customers/{customer_id}/credits/top_ups/{top_up_id}
    customers.credits.top_ups.create_by_external_id POST
      /customers/external_customer_id/{external_customer_id}/credits/top_ups
    customers.credits.top_ups.delete_by_external_id DELETE
      /customers/external_customer_id/{external_customer_id}/credits/top_ups/{top_up_id}
    customers.credits.top_ups.list_by_external_id GET
      /customers/external_customer_id/{external_customer_id}/credits/top_ups
    licenses.external_licenses.get_usage GET /licenses/external_licenses/{external_license_id}/usage
    licenses.create POST /licenses
    licenses.retrieve GET /licenses/{license_id}
    licenses.list GET /licenses
    licenses.deactivate POST /licenses/{license_id}/deactivate
    licenses.retrieve_by_external_id GET /licenses/external_license_id/{external_license_id}
    licenses.usage.get_all_usage GET /licenses/usage
    licenses.usage.get_usage GET /licenses/{license_id}/usage
    events.backfills.create POST /events/backfills
    events.backfills.list GET /events/backfills
    events.backfills.close POST /events/backfills/{backfill_id}/close
    events.backfills.fetch GET /events/backfills/{backfill_id}
    events.backfills.revert POST /events/backfills/{backfill_id}/revert
    events.update PUT /events/{event_id}
    events.deprecate PUT /events/{event_id}/deprecate
    events.ingest POST /ingest
    events.search POST /events/search
    events.volume.list GET /events/volume
    prices.external_price_id.update PUT /prices/external_price_id/{external_price_id}
    prices.external_price_id.fetch GET /prices/external_price_id/{external_price_id}
    prices.create POST /prices
    prices.update PUT /prices/{price_id}
    prices.list GET /prices
    prices.evaluate POST /prices/{price_id}/evaluate
    prices.evaluate_multiple POST /prices/evaluate
    prices.evaluate_preview_events POST /prices/evaluate_preview_events
    prices.fetch GET /prices/{price_id}
    coupons.create POST /coupons
    coupons.list GET /coupons
    coupons.archive POST /coupons/{coupon_id}/archive
    coupons.fetch GET /coupons/{coupon_id}
    coupons.subscriptions.list GET /coupons/{coupon_id}/subscriptions
    dimensional_price_groups.create POST /dimensional_price_groups
    dimensional_price_groups.retrieve GET /dimensional_price_groups/{dimensional_price_group_id}
    dimensional_price_groups.update PUT /dimensional_price_groups/{dimensional_price_group_id}
    dimensional_price_groups.list GET /dimensional_price_groups
    dimensional_price_groups.external_dimensional_price_group_id.retrieve GET
      /dimensional_price_groups/external_dimensional_price_group_id/{external_dimensional_price_group_id}
    dimensional_price_groups.external_dimensional_price_group_id.update PUT
      /dimensional_price_groups/external_dimensional_price_group_id/{path_external_dimensional_price_group_id}
    dimensional_price_groups.prices.create POST /dimensional_price_groups/{dimensional_price_group_id}/prices
    dimensional_price_groups.prices.list GET /dimensional_price_groups/{dimensional_price_group_id}/prices
"""
CALLS = [OrbCall(*three) for three in zip(*[iter(_TEXT.split())] * 3, strict=True)]
