//! Sealed secrets.

use crate::place::on_both;
use comptoir_store::{MasterKey, StoreError};

fn master(text: &str) -> MasterKey {
    MasterKey::from_text(text).unwrap()
}

on_both! {
    async fn two_values_live_during_a_rotation(place: Place) {
        let store = place.open().await;
        let key = master("a master key for tests");
        assert!(store.secrets(&key, "shop").await.unwrap().is_empty());
        store.put_secret(&key, "shop", "one").await.unwrap();
        assert_eq!(store.secrets(&key, "shop").await.unwrap(), ["one"]);
        store.put_secret(&key, "shop", "two").await.unwrap();
        assert_eq!(store.secrets(&key, "shop").await.unwrap(), ["two", "one"]);
        store.put_secret(&key, "shop", "three").await.unwrap();
        assert_eq!(store.secrets(&key, "shop").await.unwrap(), ["three", "two"]);
        // A day later the old one is dead.
        place.run("UPDATE secret SET until = until - 86400001 WHERE until IS NOT NULL").await;
        assert_eq!(store.secrets(&key, "shop").await.unwrap(), ["three"]);
        store.put_secret(&key, "erp", "other").await.unwrap();
        assert_eq!(store.secret_names().await.unwrap(), ["erp", "shop"]);
        store.delete_secret("shop").await.unwrap();
        assert!(store.secrets(&key, "shop").await.unwrap().is_empty());
        assert_eq!(store.secret_names().await.unwrap(), ["erp"]);
    }

    async fn another_master_key_opens_nothing(place: Place) {
        let store = place.open().await;
        let (key, wrong) = (master("a master key for tests"), master("another key for tests"));
        store.put_secret(&key, "shop", "one").await.unwrap();
        assert!(matches!(store.secrets(&wrong, "shop").await.unwrap_err(), StoreError::WrongMasterKey));
        for name in ["shop", "new"] {
            let refused = store.put_secret(&wrong, name, "two").await.unwrap_err();
            assert!(matches!(refused, StoreError::WrongMasterKey), "no second key beside the first: {name}");
        }
        assert_eq!(store.secrets(&key, "shop").await.unwrap(), ["one"]);
    }

    /// Who can write to the database cannot give one secret the name of another.
    async fn a_value_is_bound_to_its_name(place: Place) {
        let store = place.open().await;
        let key = master("a master key for tests");
        store.put_secret(&key, "shop", "one").await.unwrap();
        place.run("UPDATE secret SET name = 'erp'").await;
        assert!(matches!(store.secrets(&key, "erp").await.unwrap_err(), StoreError::WrongMasterKey));
    }

    async fn many_changes_at_once_leave_two_values(place: Place) {
        let stores = [place.open().await, place.open().await];
        let mut tasks = tokio::task::JoinSet::new();
        for n in 0..8 {
            let store = stores[n % 2].clone();
            tasks.spawn(async move { store.put_secret(&master("a master key for tests"), "shop", &n.to_string()).await });
        }
        assert!(tasks.join_all().await.iter().all(Result::is_ok));
        assert_eq!(stores[0].secrets(&master("a master key for tests"), "shop").await.unwrap().len(), 2);
        assert_eq!(place.number("SELECT count(*) FROM secret WHERE until IS NULL").await, 1);
    }

    async fn are_not_in_the_store_as_text(place: Place) {
        let store = place.open().await;
        let key = master("a master key for tests");
        store.put_secret(&key, "shop", "plain-text-value").await.unwrap();
        let sql = match &place.url {
            comptoir_store::StoreUrl::Sqlite(_) => "SELECT count(*) FROM secret WHERE instr(sealed, CAST('plain' AS BLOB)) > 0",
            comptoir_store::StoreUrl::Postgres(_) => "SELECT count(*) FROM secret WHERE position('plain'::bytea IN sealed) > 0",
        };
        assert_eq!(place.number(sql).await, 0);
        assert!(!format!("{key:?}").contains("master key for"));
    }
}

#[test]
fn a_short_master_key_is_refused() {
    assert!(MasterKey::from_text("too short").is_err());
    assert!(MasterKey::from_text("                          ").is_err());
}
