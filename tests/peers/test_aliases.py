"""Aliases of keys."""

import re

from scenario import HOME, Scenario


class Aliases(Scenario):
    def aliases(self, **parameters):
        """The SDK declares a list of pages; there is one."""
        [page] = self.kms.list_aliases(**parameters).body
        return page

    def test_an_alias_is_made_moved_and_deleted(self):
        first, second, alias = self.key(), self.key(), self.fresh("alias/scenario")
        made = self.kms.create_alias(key_id=first, alias=alias)
        self.assertEqual((made.status_code, made.key_id, made.alias), (201, first, alias))
        self.assertEqual(made.alias_urn, f"kms:{HOME}:{made.domain_id}:alias:{alias}")
        self.assertRegex(made.create_time, re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"))

        moved = self.kms.associate_alias(alias=alias, target_key_id=second)
        self.assertEqual((moved.alias, moved.key_id), (alias, second))
        self.assertEqual([found.alias for found in self.aliases(key_id=second).aliases], [alias])
        self.assertEqual(self.aliases(key_id=first).aliases, [])

        deleted = self.kms.delete_alias(key_id=second, aliases=[alias])
        self.assertEqual(deleted.status_code, 204)
        self.assertEqual(self.aliases(key_id=second).aliases, [])

    def test_an_alias_is_of_one_key(self):
        alias = self.fresh("alias/scenario")
        self.kms.create_alias(key_id=self.key(), alias=alias)
        with self.refused(400, "KMS.1104"):
            self.kms.create_alias(key_id=self.key(), alias=alias)

    def test_aliases_are_listed_page_by_page(self):
        key_id = self.key()
        made = {self.fresh("alias/scenario") for _ in range(3)}
        for alias in made:
            self.kms.create_alias(key_id=key_id, alias=alias)
        listed, marker = [], None
        while True:
            page = self.aliases(key_id=key_id, limit="2", marker=marker)
            listed += [found.alias for found in page.aliases]
            self.assertEqual(page.page_info.current_count, len(page.aliases))
            marker = page.page_info.next_marker
            if not marker:
                break
        self.assertCountEqual(listed, made)
