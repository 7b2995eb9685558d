"""The checks of secrets in the password safe."""

from scenario import Scenario


class Checker(Scenario):
    def test_the_check_of_strength_is_switched(self):
        for wanted in (True, False):
            answer = self.csms.update_secrets_config(checking_secret_strength=wanted)
            self.assertIs(answer.checking_secret_strength, wanted)
            self.assertIs(self.csms.show_secrets_config().checking_secret_strength, wanted)

    def test_data_is_checked_under_its_type(self):
        answer = self.csms.check_secrets(type="PASSWORD", data={"password": "Zq8#mLw2!tRv"})
        self.assertEqual(answer.type, "PASSWORD")
        self.assertIsInstance(answer.data, dict)
