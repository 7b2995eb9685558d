"""Random passwords."""

import string

from scenario import Scenario


class Passwords(Scenario):
    def test_a_password_is_random_and_has_32_characters(self):
        first, second = (self.csms.generate_random_password().password for _ in range(2))
        self.assertEqual((len(first), len(second)), (32, 32))
        self.assertNotEqual(first, second)
        self.assertNotIn(" ", first)

    def test_what_is_excluded_is_not_in_it(self):
        password = self.csms.generate_random_password(
            length=200, exclude_uppercase=True, exclude_punctuation=True, exclude_characters="abc123"
        ).password
        self.assertEqual(len(password), 200)
        self.assertLessEqual(set(password), set(string.ascii_lowercase + string.digits) - set("abc123"))

    def test_every_type_is_in_it_where_it_has_to_be(self):
        for _ in range(10):
            password = self.csms.generate_random_password(
                length=5, require_each_included_type=True, include_space=True
            ).password
            for characters in (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation, " "):
                self.assertTrue(set(password) & set(characters), f"{password} has none of {characters!r}")

    def test_a_password_has_1_to_255_characters(self):
        self.assertEqual(len(self.csms.generate_random_password(length=1).password), 1)
        self.assertEqual(len(self.csms.generate_random_password(length=255).password), 255)
        for length in (0, 256):
            with self.refused(400, "CSMS.0002"):
                self.csms.generate_random_password(length=length)
