//! Golden HTTP exchanges with a whole server: real sockets, a real database, a real engine, phones that answer.

mod assertions;
mod authority;
mod bodies;
mod bot;
mod browsers;
mod calls;
mod clients;
mod console;
mod forbidden;
mod foreign;
mod hostile;
mod https;
mod ledger;
mod notices;
mod outage;
mod paths;
mod repeats;
mod restart;
mod server;
mod sign_in;
mod site;
mod throttling;
mod timeouts;
mod tokens;
