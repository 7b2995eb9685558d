"""Versions of a secret."""

from scenario import DAY, Scenario, milliseconds


class Versions(Scenario):
    def stages(self, name):
        """The stages of all versions, by version."""
        versions = self.csms.list_secret_versions(secret_name=name).version_metadatas
        return {version.id: sorted(version.version_stages) for version in versions}

    def test_a_new_version_becomes_current_and_the_last_one_previous(self):
        name = self.secret("one").name
        second = self.csms.create_secret_version(secret_name=name, secret_string="two").version_metadata
        self.assertEqual((second.id, second.secret_name, second.version_stages), ("v2", name, ["SYSCURRENT"]))
        self.assertEqual(self.stages(name), {"v1": ["SYSPREVIOUS"], "v2": ["SYSCURRENT"]})
        self.csms.create_secret_version(secret_name=name, secret_string="three")
        self.assertEqual(self.stages(name), {"v1": [], "v2": ["SYSPREVIOUS"], "v3": ["SYSCURRENT"]})
        self.assertEqual([self.value(name, version) for version in ("v1", "v2", "v3", "latest")],
                         ["one", "two", "three", "three"])

    def test_stages_of_its_own_leave_the_current_version_alone(self):
        name = self.secret("one").name
        made = self.csms.create_secret_version(secret_name=name, secret_string="two", version_stages=["blue", "green"])
        self.assertEqual(sorted(made.version_metadata.version_stages), ["blue", "green"])
        self.assertEqual(self.stages(name), {"v1": ["SYSCURRENT"], "v2": ["blue", "green"]})
        self.assertEqual(self.value(name), "one")

    def test_no_two_versions_are_of_the_same_time(self):
        name = self.secret().name
        for _ in range(3):
            self.csms.create_secret_version(secret_name=name, secret_string="next")
        times = [version.create_time for version in self.csms.list_secret_versions(secret_name=name).version_metadatas]
        self.assertEqual(len(set(times)), 4)
        self.assertRecent(max(times))

    def test_versions_are_listed_page_by_page(self):
        name = self.secret().name
        for _ in range(4):
            self.csms.create_secret_version(secret_name=name, secret_string="next")
        listed, marker = [], None
        while True:
            page = self.csms.list_secret_versions(secret_name=name, limit=2, marker=marker)
            listed += [version.id for version in page.version_metadatas]
            self.assertEqual(page.page_info.current_count, len(page.version_metadatas))
            marker = page.page_info.next_marker
            if not marker or not page.version_metadatas:
                break
        self.assertCountEqual(listed, ["v1", "v2", "v3", "v4", "v5"])

    def test_a_secret_keeps_twenty_versions_and_the_staged_ones_in_any_case(self):
        name = self.secret("first").name
        self.csms.update_secret_stage(secret_name=name, stage_name="kept", version_id="v1")
        for number in range(2, 24):
            made = self.csms.create_secret_version(secret_name=name, secret_string=str(number)).version_metadata
            self.assertEqual(made.id, f"v{number}")
        versions = self.stages(name)
        self.assertEqual(len(versions), 20)
        self.assertLessEqual({"v1", "v22", "v23"}, set(versions))
        self.assertEqual(self.value(name, "v1"), "first")
        with self.refused(404, "CSMS.0005"):
            self.value(name, "v2")

    def test_the_expiry_is_kept_in_whole_seconds(self):
        name, soon = self.secret().name, milliseconds() + DAY
        made = self.csms.create_secret_version(secret_name=name, secret_string="two", expire_time=soon)
        self.assertEqual(made.version_metadata.expire_time, soon // 1000 * 1000)
        later = soon + DAY
        changed = self.csms.update_version(secret_name=name, version_id="v2", expire_time=later).version_metadata
        self.assertEqual((changed.id, changed.expire_time), ("v2", later // 1000 * 1000))
        shown = self.csms.show_secret_version(secret_name=name, version_id="v2").version.version_metadata
        self.assertEqual(shown.to_dict(), changed.to_dict())

    def test_a_version_that_does_not_exist_is_not_found(self):
        name = self.secret().name
        with self.refused(404, "CSMS.0005"):
            self.value(name, "v2")
        with self.refused(404, "CSMS.0005"):
            self.csms.update_version(secret_name=name, version_id="v2", expire_time=milliseconds())

    def test_a_version_has_one_value(self):
        name = self.secret().name
        with self.refused(400, "CSMS.0002"):
            self.csms.create_secret_version(secret_name=name, secret_string="a", secret_binary="Yg==")
        self.assertEqual(self.stages(name), {"v1": ["SYSCURRENT"]})
