//! The way to the servers of the world that a thread looks at now. A visit that is under way keeps its way to the server: through any other,
//! it would go on in the world of the step before.

use std::cell::RefCell;
use std::sync::Arc;

use async_trait::async_trait;
use reconciler::engine::{Dialect, Engine, EngineError, Login, Password, Passwords, Planned, Question};

use crate::gate::Gate;
use crate::gated::Gated;
use crate::server::SqlServers;

type Way = Gated<SqlServers>;

thread_local! {
    static WAY: RefCell<Option<(SqlServers, Arc<Gate>)>> = const { RefCell::new(None) };
}

/// The servers that were reached last by [`Here::lead_to`] on this thread.
pub(super) struct Here;

impl Here {
    /// From now on the way of this thread leads there.
    pub(super) fn lead_to(servers: &SqlServers, gate: &Arc<Gate>) -> Self {
        WAY.set(Some((servers.clone(), gate.clone())));
        Self
    }

    fn way() -> Way {
        let (inner, gate) = WAY.with_borrow(Clone::clone).expect("a pass begins by leading the way");
        Gated { inner, gate }
    }
}

#[async_trait]
impl Engine for Here {
    const DIALECT: &'static dyn Dialect = <Way as Engine>::DIALECT;

    type Catalog = <Way as Engine>::Catalog;
    type Step = <Way as Engine>::Step;
    type Blocked = <Way as Engine>::Blocked;
    type Privileges = <Way as Engine>::Privileges;
    type Session = <Way as Engine>::Session;

    async fn look(&self, master: &Login, question: Question<'_>) -> Result<Self::Catalog, EngineError> {
        Self::way().look(master, question).await
    }

    fn plan(
        question: Question<'_>,
        passwords: &Passwords,
        catalog: &Self::Catalog,
    ) -> Planned<Self::Step, Self::Blocked> {
        Way::plan(question, passwords, catalog)
    }

    fn set_password(user: &str, password: &Password) -> Self::Step {
        Way::set_password(user, password)
    }

    fn session(&self, master: &Login) -> Self::Session {
        Self::way().session(master)
    }

    async fn check_login(&self, login: &Login) -> Result<Self::Privileges, EngineError> {
        Self::way().check_login(login).await
    }
}
