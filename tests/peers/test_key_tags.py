"""Tags of keys."""

from scenario import Scenario


class KeyTags(Scenario):
    def tags(self, key_id):
        answer = self.kms.show_kms_tags(key_id=key_id)
        self.assertEqual(answer.exist_tags_num, len(answer.tags))
        return {tag.key: tag.value for tag in answer.tags}

    def test_a_tag_is_added_replaced_and_deleted(self):
        key_id = self.key()
        for value in ("red", "blue"):
            added = self.kms.create_kms_tag(key_id=key_id, tag={"key": "colour", "value": value})
            self.assertEqual(added.status_code, 204)
            self.assertEqual(self.tags(key_id), {"colour": value})
        self.assertEqual(self.kms.delete_tag(key_id=key_id, key="colour").status_code, 204)
        self.assertEqual(self.tags(key_id), {})

    def test_tags_are_added_and_deleted_together(self):
        key_id = self.key()
        tags = [{"key": "a", "value": "1"}, {"key": "b", "value": "2"}]
        added = self.kms.batch_create_kms_tags(key_id=key_id, action="create", tags=tags)
        self.assertEqual(added.status_code, 204)
        self.assertEqual(self.tags(key_id), {"a": "1", "b": "2"})
        self.kms.batch_create_kms_tags(key_id=key_id, action="delete", tags=tags[:1])
        self.assertEqual(self.tags(key_id), {"b": "2"})

    def test_all_tags_of_the_project_are_listed_with_their_values(self):
        key = self.fresh("team")
        for value in ("one", "two"):
            self.kms.create_kms_tag(key_id=self.key(), tag={"key": key, "value": value})
        values = {tag.key: sorted(tag.values) for tag in self.kms.list_kms_tags().tags}
        self.assertEqual(values[key], ["one", "two"])

    def test_keys_are_found_by_their_tags(self):
        key, keys = self.fresh("team"), {}
        for value in ("one", "two", "three"):
            keys[value] = self.key()
            self.kms.create_kms_tag(key_id=keys[value], tag={"key": key, "value": value})

        def found(action="filter", **parameters):
            return self.kms.list_kms_by_tags(resource_instances="resource_instances", action=action, **parameters)

        wanted = [{"key": key, "values": ["one", "two"]}]
        answer = found(tags=wanted, limit="10", offset="0")
        self.assertEqual(answer.total_count, 2)
        self.assertCountEqual([resource.resource_id for resource in answer.resources], [keys["one"], keys["two"]])
        resource = next(resource for resource in answer.resources if resource.resource_id == keys["one"])
        self.assertEqual(resource.resource_detail.key_id, keys["one"])
        self.assertEqual(resource.resource_name, self.details(keys["one"]).key_alias)
        self.assertEqual([tag.to_dict() for tag in resource.tags], [{"key": key, "value": "one"}])

        pages = [found(tags=wanted, limit="1", offset=str(offset)).resources for offset in range(3)]
        self.assertEqual([len(page or []) for page in pages], [1, 1, 0])
        counted = found("count", tags=wanted)
        self.assertEqual((counted.total_count, counted.resources or []), (2, []))
