//! The description of the API, made from the types that answer it.

use super::held::HeldPage;
use super::list::{Filter, Item, Page, StockFilter, StockPage};
use super::token::SCOPES;
use axum::Json;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// A route: its path, what it answers, the filters it takes, and the scope it needs.
struct Route {
    path: &'static str,
    about: &'static str,
    scope: &'static str,
    filters: Option<Value>,
    answer: Value,
}

/// `GET /v1/openapi.json`: OpenAPI 3.1. Needs no token.
pub async fn document() -> Json<Value> {
    Json(description())
}

fn generator() -> SchemaGenerator {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.into_generator()
}

/// The fields of a filter as parameters of the query.
fn parameters<T: JsonSchema>(of: &mut SchemaGenerator) -> Value {
    let schema = of.root_schema_for::<T>().to_value();
    let fields = schema["properties"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let parameters = fields.into_iter().map(|(name, mut field)| {
        let about = field["description"].take();
        // A filter that is left out is left out; it has no null.
        let kinds = field["type"].as_array().and_then(|kinds| kinds.first()).cloned();
        let kind = kinds.unwrap_or_else(|| field["type"].clone());
        json!({"name": name, "in": "query", "required": false, "description": about, "schema": {"type": kind}})
    });
    Value::Array(parameters.collect())
}

fn routes(schemas: &mut SchemaGenerator) -> Vec<Route> {
    let page = schemas.subschema_for::<Page>().to_value();
    let list = |path, about, scope, filters: Value| Route {
        path,
        about,
        scope,
        filters: Some(filters),
        answer: page.clone(),
    };
    let filters = parameters::<Filter>(&mut generator());
    let mut routes = vec![
        list(
            "/v1/orders",
            "Orders of shops and ERPs",
            "read:orders",
            filters.clone(),
        ),
        list(
            "/v1/customers",
            "Customers",
            "read:customers",
            filters.clone(),
        ),
        list(
            "/v1/products",
            "Products and variants",
            "read:products",
            filters.clone(),
        ),
        list(
            "/v1/shipments",
            "Shipments",
            "read:shipments",
            filters.clone(),
        ),
        list("/v1/refunds", "Refunds", "read:orders", filters),
    ];
    let named = |name: &str, about: &str| json!({"name": name, "in": "path", "required": true, "description": about, "schema": {"type": "string"}});
    routes.push(Route {
        path: "/v1/orders/{connection}/{id}",
        about: "One order",
        scope: "read:orders",
        filters: Some(json!([
            named("connection", "The connection"),
            named("id", "The order's id there")
        ])),
        answer: schemas.subschema_for::<Item>().to_value(),
    });
    routes.push(Route {
        path: "/v1/stock",
        about: "What all connections have of some items",
        scope: "read:stock",
        filters: Some(parameters::<StockFilter>(&mut generator())),
        answer: schemas.subschema_for::<StockPage>().to_value(),
    });
    routes.push(Route {
        path: "/v1/held",
        about: "What is held, by flow and cause",
        scope: "read:held",
        filters: None,
        answer: schemas.subschema_for::<HeldPage>().to_value(),
    });
    routes
}

/// The whole description.
pub fn description() -> Value {
    let mut schemas = generator();
    let mut paths = Map::new();
    for route in routes(&mut schemas) {
        let problem = json!({"description": "A problem", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}});
        let answer = json!({"description": "The answer", "content": {"application/json": {"schema": route.answer}}});
        let get = json!({
            "summary": route.about,
            "operationId": route.path.trim_start_matches("/v1/").replace(['/', '{', '}'], "_"),
            "parameters": route.filters.unwrap_or_else(|| json!([])),
            "security": [{"token": [route.scope]}],
            "responses": {"200": answer, "401": problem, "403": problem, "404": problem, "422": problem},
        });
        paths.insert(route.path.to_owned(), json!({ "get": get }));
    }
    let mut components = schemas.take_definitions(true);
    components.insert("Problem".to_owned(), json!({
        "type": "object",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
            "detail": {"type": ["string", "null"]}, "code": {"type": "string", "pattern": "^CMP-[0-9]{4}$"},
        },
    }));
    let scopes: Vec<String> = SCOPES
        .iter()
        .map(|(name, about)| format!("`{name}`: {about}"))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Comptoir",
            "version": env!("CARGO_PKG_VERSION"),
            "description": format!("What all connections hold, in one shape. Tokens: `comptoir token add NAME --scope …`. Scopes: {}.", scopes.join("; ")),
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every reference in it leads somewhere.
    #[test]
    fn the_description_is_whole() {
        let description = description();
        let text = description.to_string();
        let mut references = 0;
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(
                description.pointer(pointer).is_some(),
                "{pointer} leads nowhere"
            );
            references += 1;
        }
        assert!(references > 20, "{references}");
        for route in ["/v1/orders", "/v1/stock", "/v1/held"] {
            assert!(description["paths"][route]["get"]["responses"]["200"].is_object());
        }
        let limit = &description["paths"]["/v1/orders"]["get"]["parameters"];
        assert!(
            limit
                .as_array()
                .unwrap()
                .iter()
                .any(|parameter| parameter["name"] == "limit"
                    && parameter["schema"]["type"] == "integer"),
            "{limit}"
        );
    }
}
