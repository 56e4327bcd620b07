//! Media of a folder: fragmented MP4 that other programs made (CMAF), cut into fragments and played over and over on
//! the time axis of a stream, so that a real player shows it as a live stream without a break.
//!
//! | file | contents |
//! |---|---|
//! | `boxes` | the boxes of MP4 files |
//! | `init_section` | what an initialization section says |
//! | `fragment` | fragments and their times |
//! | `media_track` | a track without end made of a recorded one |
//! | `folder` | the files |

mod boxes;
mod folder;
mod fragment;
mod init_section;
mod media_track;

pub(crate) use folder::MediaFolder;
pub(crate) use media_track::MediaTrack;
