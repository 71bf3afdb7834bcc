//! The admin service: what was asked in the wire's words, done by [`Reload`].

use std::sync::{Arc, OnceLock};

use tonic::{Request, Response, Status};

use super::{policies, versions};
use crate::{
    problem::Problems,
    proto::{self, admin_service_server::AdminService, target::Name},
    reload::{Kind, Refused, Reload, Reloaded, Target},
    rpc::status,
};

/// Where reloading is found once it has begun; clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Reloads(Arc<OnceLock<Reload>>);

impl Reloads {
    /// Makes it found. Later ones than the first are passed over.
    pub fn set(&self, reload: Reload) {
        // One server loads one repository.
        let _ = self.0.set(reload);
    }

    /// The one that was set.
    pub fn get(&self) -> Option<&Reload> {
        self.0.get()
    }
}

/// Answers admin calls.
#[derive(Debug, Clone)]
pub struct Service {
    pub reloads: Reloads,
}

impl Service {
    fn reload(&self) -> Result<&Reload, Status> {
        self.reloads.get().ok_or_else(not_ready)
    }
}

#[tonic::async_trait]
impl AdminService for Service {
    async fn reload(
        &self,
        request: Request<proto::ReloadRequest>,
    ) -> Result<Response<proto::ReloadResponse>, Status> {
        let proto::ReloadRequest {} = request.into_inner();
        let Reloaded { changes, took, problems: _ } =
            self.reload()?.reload(true).await.map_err(|_| not_ready())?;
        let changes = changes.iter().map(versions::change).collect();
        Ok(Response::new(proto::ReloadResponse { changes, seconds: took.as_secs_f64() }))
    }

    async fn list_versions(
        &self,
        request: Request<proto::ListVersionsRequest>,
    ) -> Result<Response<proto::ListVersionsResponse>, Status> {
        let proto::ListVersionsRequest {} = request.into_inner();
        Ok(Response::new(versions::list(self.reload()?)))
    }

    async fn set_traffic(
        &self,
        request: Request<proto::SetTrafficRequest>,
    ) -> Result<Response<proto::SetTrafficResponse>, Status> {
        let proto::SetTrafficRequest { target, policy } = request.into_inner();
        let mut problems = Problems::of_request();
        let target = read_target(target, &mut problems);
        let policy = match policy {
            Some(policy) => policies::read(policy, &mut problems),
            None => {
                problems.add("policy", "is missing");
                None
            }
        };
        let (Some(target), Some(policy)) = (target, policy) else { return Err(status::invalid(&problems)) };
        let in_force = self.reload()?.set_traffic(&target, policy).await.map_err(refused)?;
        Ok(Response::new(proto::SetTrafficResponse {
            policy: Some(policies::write(&in_force.policy)),
            default_version: in_force.default.unwrap_or_default(),
            not_persisted: in_force.not_persisted.unwrap_or_default(),
        }))
    }

    async fn rollback(
        &self,
        request: Request<proto::RollbackRequest>,
    ) -> Result<Response<proto::RollbackResponse>, Status> {
        let proto::RollbackRequest { target } = request.into_inner();
        let mut problems = Problems::of_request();
        let target = read_target(target, &mut problems).ok_or_else(|| status::invalid(&problems))?;
        let rolled_back = self.reload()?.roll_back(&target).await.map_err(refused)?;
        Ok(Response::new(proto::RollbackResponse {
            version: rolled_back.version,
            rolled_back_version: rolled_back.from,
            not_persisted: rolled_back.not_persisted.unwrap_or_default(),
        }))
    }
}

fn read_target(target: Option<proto::Target>, problems: &mut Problems) -> Option<Target> {
    let target = match target.and_then(|target| target.name) {
        Some(Name::FeatureSet(name)) => Target::new(Kind::FeatureSet, name),
        Some(Name::Table(name)) => Target::new(Kind::Table, name),
        None => {
            problems.add("target", "is missing: name a feature set or a table");
            return None;
        }
    };
    Some(target)
}

fn not_ready() -> Status {
    status::of_refusal(crate::serve::outcome::Refusal::NotReady)
}

fn refused(refused: Refused) -> Status {
    match refused {
        Refused::NotFound(message) => Status::not_found(message),
        Refused::Invalid(problems) => {
            let mut below = Problems::of_request();
            below.add_below("policy", problems);
            status::invalid(&below)
        }
        Refused::NoneBefore(message) => Status::failed_precondition(message),
        Refused::NotReady => not_ready(),
    }
}
