pub mod proto { tonic::include_proto!("quiver.v1"); }
