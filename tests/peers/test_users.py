"""Users, as the service of secrets sees them."""

from scenario import Scenario


class Users(Scenario):
    def users(self, **parameters):
        return self.csms.list_users(offset=0, limit=100, **parameters)

    def test_users_are_listed_and_shown(self):
        answer = self.users()
        self.assertEqual(answer.total, len(answer.users))
        user = next(user for user in answer.users if user.user_name == "developer")
        shown = self.csms.show_user_detail(user_id=user.user_id)
        self.assertEqual((shown.user_id, shown.user_name), (user.user_id, "developer"))
        self.assertIn(user.user_id, [found.user_id for found in self.users(user_info="DEVEL".lower()).users])
        self.assertEqual(self.users(user_info="nobody of this name").users, [])

    def test_a_page_after_the_last_is_empty(self):
        self.assertEqual(self.csms.list_users(offset=1000, limit=10).users, [])

    def test_the_password_changes_for_those_who_know_it(self):
        [user] = self.users(user_info="developer").users
        changed = self.csms.update_user_password(old_password="emulator-password", password="N3w-emulator-password")
        self.assertEqual(changed.user_id, user.user_id)
        with self.refused(400, "CSMS.0002"):
            self.csms.update_user_password(old_password="emulator-password", password="An0ther-password")
        self.csms.update_user_password(old_password="N3w-emulator-password", password="emulator-password")
