//! External ids, as a user may ask for them who may not search them.

use super::model::{Erp, Refusal, Row};
use serde_json::{Value, json};

impl Erp {
    pub(super) fn reference(&self, args: &Row) -> Result<Value, Refusal> {
        let wanted = |row: &&&Row| row["module"] == args["module"] && row["name"] == args["xml_id"];
        let rows = self.rows("ir.model.data");
        let Some(data) = rows.iter().find(wanted) else {
            return Err(Refusal::of("builtins.ValueError"));
        };
        let (model, id) = (data["model"].as_str().unwrap(), data["res_id"].as_i64());
        let there = id.filter(|id| self.tables[model].contains_key(id));
        Ok(json!([model, there.map_or(json!(false), |id| json!(id))]))
    }

    /// 16 tells one external id of a record, later versions all of them.
    pub(super) fn metadata(&self, model: &str, ids: &[i64]) -> Value {
        let told = ids.iter().map(|id| {
            let rows = self.rows("ir.model.data").into_iter();
            let own = rows.filter(|row| row["model"] == model && row["res_id"] == *id);
            let names: Vec<String> = own
                .map(|row| format!("{}.{}", row["module"], row["name"]).replace('"', ""))
                .collect();
            let mut row = json!({"id": id, "create_uid": [2, "Comptoir"],
                "xmlid": names.first().map_or(json!(false), |name| json!(name))});
            if self.version >= 17 {
                let all = names
                    .iter()
                    .map(|name| json!({"xmlid": name, "noupdate": true}));
                row["xmlids"] = all.collect();
            }
            row
        });
        told.collect()
    }
}
