"""Events, which secrets subscribe to, and the records of what they notified."""

import json

from scenario import Scenario, eventually

TOPIC = {"target_type": "SMN", "target_id": "urn:smn:cn-north-4:project:topic", "target_name": "topic"}


class Events(Scenario):
    def event(self, *types, state="ENABLED"):
        """A new event."""
        answer = self.csms.create_secret_event(
            name=self.fresh("event"), event_types=list(types), state=state, notification=TOPIC
        )
        return answer.event

    def records(self, event):
        records = self.csms.list_notification_records().records
        return [record for record in records if record.event_name == event]

    def test_an_event_is_made_shown_changed_and_deleted(self):
        made = self.event("SECRET_VERSION_CREATED", "SECRET_DELETED")
        self.assertEqual((made.state, made.event_types), ("ENABLED", ["SECRET_VERSION_CREATED", "SECRET_DELETED"]))
        self.assertEqual(made.notification.to_dict(), TOPIC)
        self.assertRecent(made.create_time)
        shown = self.csms.show_secret_event(event_name=made.name).event
        self.assertEqual(shown.to_dict(), made.to_dict())

        other = {"target_type": "SMN", "target_id": "urn:smn:cn-north-4:project:other", "target_name": "other"}
        changed = self.csms.update_secret_event(
            event_name=made.name, event_types=["SECRET_ROTATED"], state="DISABLED", notification=other
        ).event
        self.assertEqual((changed.event_id, changed.name), (made.event_id, made.name))
        self.assertEqual((changed.state, changed.event_types), ("DISABLED", ["SECRET_ROTATED"]))
        self.assertEqual(changed.notification.to_dict(), other)

        self.assertEqual(self.csms.delete_secret_event(event_name=made.name).status_code, 204)
        with self.refused(404, "CSMS.0005"):
            self.csms.show_secret_event(event_name=made.name)

    def test_events_are_listed_page_by_page(self):
        names = {self.event("SECRET_DELETED").name for _ in range(3)}
        listed, marker = [], None
        while True:
            page = self.csms.list_secret_events(limit="2", marker=marker)
            self.assertLessEqual(len(page.events), 2)
            self.assertEqual(page.page_info.current_count, len(page.events))
            listed += [event.name for event in page.events]
            marker = page.page_info.next_marker
            if not marker or not page.events:
                break
        self.assertLessEqual(names, set(listed))
        self.assertEqual(len(listed), len(set(listed)))

    def test_what_a_subscribed_secret_does_is_notified(self):
        event = self.event("SECRET_VERSION_CREATED", "SECRET_DELETED").name
        secret = self.secret(event_subscriptions=[event])
        self.assertEqual(secret.event_subscriptions, [event])
        self.csms.create_secret_version(secret_name=secret.name, secret_string="next")
        self.csms.delete_secret(secret_name=secret.name)
        eventually(lambda: {record.trigger_event_type for record in self.records(event)}
                   == {"SECRET_VERSION_CREATED", "SECRET_DELETED"})
        for record in self.records(event):
            self.assertEqual((record.secret_name, record.secret_type), (secret.name, "COMMON"))
            self.assertEqual(record.notification_target_id, TOPIC["target_id"])
            self.assertEqual(record.notification_target_name, TOPIC["target_name"])
            self.assertIn(record.notification_status, ("SUCCESS", "FAIL", "INVALID"))
            self.assertIsInstance(json.loads(record.notification_content), dict)
            self.assertRecent(record.create_time)

    def test_a_disabled_event_notifies_nobody(self):
        event = self.event("SECRET_VERSION_CREATED", state="DISABLED").name
        name = self.secret(event_subscriptions=[event]).name
        self.csms.create_secret_version(secret_name=name, secret_string="next")
        self.assertEqual(self.records(event), [])

    def test_an_event_stays_while_a_secret_subscribes_to_it(self):
        event = self.event("SECRET_DELETED").name
        name = self.secret(event_subscriptions=[event]).name
        self.assertEqual([secret.name for secret in self.csms.list_secrets(event_name=event).secrets], [name])
        with self.refused(400, "CSMS.0003"):
            self.csms.delete_secret_event(event_name=event)
        self.csms.update_secret(secret_name=name, event_subscriptions=[])
        self.csms.delete_secret_event(event_name=event)
        self.assertEqual(self.csms.show_secret(secret_name=name).secret.event_subscriptions, [])
