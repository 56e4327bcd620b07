//! The walk from an MPD's text to its elements, one function for each.

use std::rc::Rc;

use viewer_core::MILLISECOND;

use super::addressing::{read_base, read_list, read_template};
use super::document::{MediaAttributes, MpdBase, MpdClock, MpdDocument, MpdPeriod, MpdRepresentation, MpdSet};
use super::value::short;
use super::warnings::DashWarnings;
use super::xml::{XmlAttribute, XmlCursor, XmlElement};
use crate::note::ManifestError;

/// Periods of a manifest. A live stream with an advertisement each minute has 1,440 a day.
const MOST_PERIODS: usize = 10_000;

/// Adaptation sets of a period; each is compared with each of another period.
const MOST_SETS: usize = 256;

/// Base URLs of one level, clocks, and sets that players switch to.
const MOST_ALTERNATIVES: usize = 8;

/// The marker of sets that players switch between.
const SWITCHING: &str = "urn:mpeg:dash:adaptation-set-switching:2016";

/// The marker of pictures that are shown while seeking.
const TRICK_MODE: &str = "http://dashif.org/guidelines/trickmode";

/// Reads a whole manifest.
pub(super) fn read_document(text: &str, warnings: &mut DashWarnings) -> Result<MpdDocument, ManifestError> {
    let mut xml = XmlCursor::new(text);
    let root = xml.child()?.filter(|root| root.name() == "MPD").ok_or_else(|| {
        ManifestError::new(1, "the content is neither HLS nor DASH")
            .help("check the URL: the server answered with another document")
    })?;
    read_mpd(&mut xml, &root, warnings)
}

fn read_mpd(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    warnings: &mut DashWarnings,
) -> Result<MpdDocument, ManifestError> {
    let mut mpd = MpdDocument { line: element.line, ..MpdDocument::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "type" => mpd.is_dynamic = attribute.value == "dynamic",
            "availabilityStartTime" => mpd.availability_start = Some(attribute.instant()?),
            "publishTime" => mpd.published = Some(attribute.instant()?),
            "mediaPresentationDuration" => mpd.duration = Some(attribute.duration()?),
            "minimumUpdatePeriod" => mpd.update = Some(attribute.duration()?),
            "timeShiftBufferDepth" => mpd.depth = Some(attribute.duration()?),
            "suggestedPresentationDelay" => mpd.delay = Some(attribute.duration()?),
            "maxSegmentDuration" => mpd.longest = Some(attribute.duration()?),
            _ => {}
        }
        Ok(())
    })?;
    while let Some(child) = xml.child()? {
        match child.name() {
            "BaseURL" => read_base_url(xml, &child, &mut mpd.bases)?,
            "Location" if mpd.location.is_none() => {
                let location = xml.content()?;
                mpd.location = Some(short(child.line, "Location", &location)?.as_ref().to_owned());
            }
            "PatchLocation" => {
                return Err(ManifestError::new(child.line, "`PatchLocation` is not supported")
                    .help("serve the manifest without it, and players fetch the whole of it each time"));
            }
            "UTCTiming" if mpd.clocks.len() < MOST_ALTERNATIVES => {
                mpd.clocks.push(read_clock(&child)?);
                xml.skip()?;
            }
            "ServiceDescription" => {
                let latency = read_service_description(xml)?;
                mpd.latency = mpd.latency.or(latency);
            }
            "Period" if child.is_void()? => xml.skip()?,
            "Period" if mpd.periods.len() == MOST_PERIODS => {
                return Err(ManifestError::new(child.line, format!("there are more than {MOST_PERIODS} periods")));
            }
            "Period" => mpd.periods.push(read_period(xml, &child, warnings)?),
            _ => xml.skip()?,
        }
    }
    Ok(mpd)
}

fn read_base_url(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    bases: &mut Vec<MpdBase>,
) -> Result<(), ManifestError> {
    let mut base = MpdBase { url: "".into(), priority: 1, ahead: None, is_complete: None };
    element.attributes(|attribute| {
        match attribute.name {
            "priority" => base.priority = attribute.unsigned()?,
            "availabilityTimeOffset" => base.ahead = Some(attribute.seconds()?),
            "availabilityTimeComplete" => base.is_complete = Some(attribute.boolean()?),
            _ => {}
        }
        Ok(())
    })?;
    base.url = short(element.line, "BaseURL", &xml.content()?)?;
    if bases.len() < MOST_ALTERNATIVES {
        let place = bases.partition_point(|before| before.priority <= base.priority);
        bases.insert(place, base);
    }
    Ok(())
}

fn read_clock(element: &XmlElement<'_>) -> Result<MpdClock, ManifestError> {
    let mut clock = MpdClock { line: element.line, ..MpdClock::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "schemeIdUri" => clock.scheme = attribute.text()?.as_ref().to_owned(),
            "value" => clock.value = attribute.text()?.as_ref().to_owned(),
            _ => {}
        }
        Ok(())
    })?;
    Ok(clock)
}

/// Returns the target latency.
fn read_service_description(xml: &mut XmlCursor<'_>) -> Result<Option<i64>, ManifestError> {
    let mut target = None;
    while let Some(child) = xml.child()? {
        if child.name() == "Latency" {
            child.attributes(|attribute| {
                if attribute.name == "target" && target.is_none() {
                    target = Some(attribute.ticks()?.saturating_mul(MILLISECOND));
                }
                Ok(())
            })?;
        }
        xml.skip()?;
    }
    Ok(target)
}

fn read_period(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    warnings: &mut DashWarnings,
) -> Result<MpdPeriod, ManifestError> {
    let mut period = MpdPeriod { line: element.line, ..MpdPeriod::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "start" => period.start = Some(attribute.duration()?),
            "duration" => period.duration = Some(attribute.duration()?),
            _ => {}
        }
        Ok(())
    })?;
    while let Some(child) = xml.child()? {
        match child.name() {
            "BaseURL" => read_base_url(xml, &child, &mut period.bases)?,
            "SegmentBase" => read_base(xml, &child, &mut period.addressing)?,
            "SegmentList" => read_list(xml, &child, &mut period.addressing, warnings)?,
            "SegmentTemplate" => read_template(xml, &child, &mut period.addressing, warnings)?,
            "AdaptationSet" if child.is_void()? => xml.skip()?,
            "AdaptationSet" if period.sets.len() == MOST_SETS => {
                let text = format!("the period has more than {MOST_SETS} adaptation sets");
                return Err(ManifestError::new(child.line, text));
            }
            "AdaptationSet" => period.sets.push(read_set(xml, &child, warnings)?),
            _ => xml.skip()?,
        }
    }
    Ok(period)
}

fn read_set(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    warnings: &mut DashWarnings,
) -> Result<MpdSet, ManifestError> {
    let mut set = MpdSet { line: element.line, ..MpdSet::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "id" => set.id = Some(attribute.text()?),
            "contentType" => set.content_type = Some(attribute.text()?),
            "lang" => set.language = Some(attribute.text()?),
            _ => read_media_attribute(&attribute, &mut set.common)?,
        }
        Ok(())
    })?;
    while let Some(child) = xml.child()? {
        match child.name() {
            "BaseURL" => read_base_url(xml, &child, &mut set.bases)?,
            "SegmentBase" => read_base(xml, &child, &mut set.addressing)?,
            "SegmentList" => read_list(xml, &child, &mut set.addressing, warnings)?,
            "SegmentTemplate" => read_template(xml, &child, &mut set.addressing, warnings)?,
            "Representation" => set.representations.push(read_representation(xml, &child, warnings)?),
            name @ ("Role" | "EssentialProperty" | "SupplementalProperty") => {
                read_descriptor(&child, name == "Role", &mut set)?;
                xml.skip()?;
            }
            _ => xml.skip()?,
        }
    }
    Ok(set)
}

fn read_descriptor(element: &XmlElement<'_>, is_role: bool, set: &mut MpdSet) -> Result<(), ManifestError> {
    let mut scheme: Rc<str> = Rc::from("");
    let mut value = Rc::clone(&scheme);
    element.attributes(|attribute| {
        match attribute.name {
            "schemeIdUri" => scheme = attribute.text()?,
            "value" => value = attribute.text()?,
            _ => {}
        }
        Ok(())
    })?;
    if is_role && (set.role.is_none() || *value == *"main") {
        set.role = Some(value);
        return Ok(());
    }
    match &*scheme {
        TRICK_MODE => set.is_trick_mode = true,
        SWITCHING => set.switches_to.extend(value.split(',').take(MOST_ALTERNATIVES).map(|id| Rc::from(id.trim()))),
        _ => {}
    }
    Ok(())
}

fn read_representation(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    warnings: &mut DashWarnings,
) -> Result<MpdRepresentation, ManifestError> {
    let mut representation = MpdRepresentation { line: element.line, ..MpdRepresentation::default() };
    element.attributes(|attribute| {
        match attribute.name {
            "id" => representation.id = Some(attribute.text()?),
            "bandwidth" => representation.bandwidth = Some(attribute.unsigned()?),
            _ => read_media_attribute(&attribute, &mut representation.common)?,
        }
        Ok(())
    })?;
    if representation.bandwidth.is_none() {
        warnings.add(element.line, "the representation has no `@bandwidth`: 0 is taken");
    }
    while let Some(child) = xml.child()? {
        match child.name() {
            "BaseURL" => read_base_url(xml, &child, &mut representation.bases)?,
            "SegmentBase" => read_base(xml, &child, &mut representation.addressing)?,
            "SegmentList" => read_list(xml, &child, &mut representation.addressing, warnings)?,
            "SegmentTemplate" => read_template(xml, &child, &mut representation.addressing, warnings)?,
            _ => xml.skip()?,
        }
    }
    Ok(representation)
}

fn read_media_attribute(attribute: &XmlAttribute<'_>, common: &mut MediaAttributes) -> Result<(), ManifestError> {
    match attribute.name {
        "mimeType" => common.mime_type = Some(attribute.text()?),
        "codecs" => common.codecs = Some(attribute.text()?),
        "width" => common.width = Some(attribute.pixels()?),
        "height" => common.height = Some(attribute.pixels()?),
        _ => {}
    }
    Ok(())
}
