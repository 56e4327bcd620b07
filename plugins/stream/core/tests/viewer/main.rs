//! Sessions against simulated sites and networks, in virtual time.

mod habits;
mod hls_live;
mod hls_vod;
mod simulator;
