//! What goes over the wire in OTLP.

use agentspan::{Destination, Otlp};
use agentspan_testkit::Service;

use super::{EXPOSURES, check, send_to};
use crate::grpc_receiver::GrpcReceiver;
use crate::process::has_its_own;

#[test]
fn t14_no_request_over_http_holds_contents() {
    if !has_its_own("masks::wire::t14_no_request_over_http_holds_contents") {
        return;
    }
    for (expose, shows) in EXPOSURES {
        let service = Service::start().unwrap();
        let otlp = Otlp::new().with_endpoint(format!("{}/v1/traces", service.url()));
        send_to(expose(Destination::otlp_http(otlp).unwrap()));
        let requests = service.requests();
        let bodies = requests
            .iter()
            .map(|request| String::from_utf8_lossy(&request.body));
        check("http", &bodies.collect::<String>(), shows);
    }
}

#[test]
fn t14_no_request_over_grpc_holds_contents() {
    if !has_its_own("masks::wire::t14_no_request_over_grpc_holds_contents") {
        return;
    }
    for (expose, shows) in EXPOSURES {
        let receiver = GrpcReceiver::start(None);
        let otlp = Otlp::new().with_endpoint(receiver.url("http"));
        send_to(expose(Destination::otlp_grpc(otlp).unwrap()));
        check("grpc", &receiver.received(), shows);
    }
}
