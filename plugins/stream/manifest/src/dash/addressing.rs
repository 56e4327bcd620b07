//! The elements that address segments: `SegmentBase`, `SegmentList`, `SegmentTemplate`, and what is within them.

use std::rc::Rc;

use super::document::{Addressing, AddressingKind, InitElement, SegmentUrl};
use super::timeline::read_timeline;
use super::warnings::DashWarnings;
use super::xml::{XmlAttribute, XmlCursor, XmlElement};
use crate::note::ManifestError;

pub(super) fn read_base(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    addressing: &mut Addressing,
) -> Result<(), ManifestError> {
    begin(element, addressing, AddressingKind::Base)?;
    while let Some(child) = xml.child()? {
        read_init(&child, addressing)?;
        xml.skip()?;
    }
    Ok(())
}

pub(super) fn read_list(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    addressing: &mut Addressing,
    warnings: &mut DashWarnings,
) -> Result<(), ManifestError> {
    if element.is_void()? {
        return xml.skip();
    }
    begin(element, addressing, AddressingKind::List)?;
    let mut urls = Vec::new();
    while let Some(child) = xml.child()? {
        match child.name() {
            "SegmentURL" => {
                urls.push(segment_url(&child)?);
                xml.skip()?;
            }
            "SegmentTimeline" => addressing.timeline = Some(read_timeline(xml, &child, warnings)?),
            _ => {
                read_init(&child, addressing)?;
                xml.skip()?;
            }
        }
    }
    if !urls.is_empty() {
        addressing.urls = Some(Rc::from(urls));
    }
    Ok(())
}

pub(super) fn read_template(
    xml: &mut XmlCursor<'_>,
    element: &XmlElement<'_>,
    addressing: &mut Addressing,
    warnings: &mut DashWarnings,
) -> Result<(), ManifestError> {
    begin(element, addressing, AddressingKind::Template)?;
    while let Some(child) = xml.child()? {
        if child.name() == "SegmentTimeline" {
            addressing.timeline = Some(read_timeline(xml, &child, warnings)?);
        } else {
            read_init(&child, addressing)?;
            xml.skip()?;
        }
    }
    Ok(())
}

fn begin(element: &XmlElement<'_>, addressing: &mut Addressing, kind: AddressingKind) -> Result<(), ManifestError> {
    addressing.kind = Some(kind);
    element.attributes(|attribute| read_attribute(&attribute, addressing))
}

fn read_attribute(attribute: &XmlAttribute<'_>, addressing: &mut Addressing) -> Result<(), ManifestError> {
    match attribute.name {
        "timescale" => addressing.timescale = Some(attribute.unsigned()?).filter(|timescale| *timescale > 0),
        "presentationTimeOffset" => addressing.offset = Some(attribute.ticks()?),
        "duration" => addressing.duration = Some(attribute.unsigned()?).filter(|duration| *duration > 0),
        "startNumber" => addressing.start_number = Some(attribute.unsigned()?),
        "endNumber" => addressing.end_number = Some(attribute.unsigned()?),
        "availabilityTimeOffset" => addressing.ahead = Some(attribute.seconds()?),
        "availabilityTimeComplete" => addressing.is_complete = Some(attribute.boolean()?),
        "indexRange" => addressing.index_range = Some(attribute.range()?),
        "media" => addressing.media = Some(attribute.text()?),
        "initialization" => addressing.initialization = Some(attribute.text()?),
        _ => {}
    }
    Ok(())
}

fn read_init(element: &XmlElement<'_>, addressing: &mut Addressing) -> Result<(), ManifestError> {
    if element.name() != "Initialization" {
        return Ok(());
    }
    let mut init = InitElement::default();
    element.attributes(|attribute| {
        match attribute.name {
            "sourceURL" => init.url = Some(attribute.text()?),
            "range" => init.range = Some(attribute.range()?),
            _ => {}
        }
        Ok(())
    })?;
    addressing.init = Some(init);
    Ok(())
}

fn segment_url(element: &XmlElement<'_>) -> Result<SegmentUrl, ManifestError> {
    let mut url = SegmentUrl::default();
    element.attributes(|attribute| {
        match attribute.name {
            "media" => url.media = Some(attribute.text()?),
            "mediaRange" => url.range = Some(attribute.range()?),
            _ => {}
        }
        Ok(())
    })?;
    Ok(url)
}
