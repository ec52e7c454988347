"""Activities of the post room: letters leave the outbox."""

from temporalio import activity

from activities.heartbeat import beating
from models.messages.post import Dispatched, DispatchInput
from models.ports import PostOffice


class PostRoom:
    """The post room with its post office."""

    def __init__(self, office: PostOffice) -> None:
        self._office = office

    @activity.defn
    async def dispatch_letters(self, asked: DispatchInput) -> Dispatched:
        """Send letters that wait. Not to be retried with the same input: its `now` would not be now any more."""
        async with beating():
            return await self._office.run_once(asked.now, asked.limit)
