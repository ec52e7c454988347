"""Loads every stage and every guard, so that the registries of handlers, events and guards are complete."""

import models.guards.accounts
import models.guards.adopting
import models.guards.amending
import models.guards.billing
import models.guards.collection
import models.guards.contracting
import models.guards.everywhere
import models.guards.fulfilment
import models.guards.group_hold
import models.guards.negotiation
import models.guards.prospecting
import models.guards.receivables
import models.guards.reliability
import models.guards.separation
import models.guards.shortage_desk
import models.stages.accounts
import models.stages.accruing
import models.stages.adopting
import models.stages.amending
import models.stages.amendments
import models.stages.billing
import models.stages.contracting
import models.stages.discrepancies
import models.stages.dispute_ends
import models.stages.disputes
import models.stages.everywhere
import models.stages.fulfilment
import models.stages.giving_up
import models.stages.going_back
import models.stages.group_hold
import models.stages.invoicing
import models.stages.ladder
import models.stages.letters
import models.stages.negotiation
import models.stages.opening
import models.stages.promises
import models.stages.prospecting
import models.stages.receivables
import models.stages.reliability
import models.stages.reserving
import models.stages.separation
import models.stages.shipping
import models.stages.shortage
import models.stages.shortage_ladder
import models.stages.support
from models.event import REGISTRY as EVENTS
from models.lifecycle.guards import GUARDS
from models.stages.handling import ACTIONS

__all__ = ["ACTIONS", "EVENTS", "GUARDS", "models"]
