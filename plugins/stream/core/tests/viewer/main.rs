//! Sessions against simulated sites and networks, in virtual time.

mod dash;
mod habits;
mod hls_live;
mod hls_vod;
mod low_latency;
mod orders;
mod simulator;
mod traps;
