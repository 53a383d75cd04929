//! DescribeDBLogFiles and DownloadDBLogFilePortion.

use std::path::PathBuf;

use rds_model::actions::instance_id;
use rds_model::{ApiError, paginate};

use super::{Answer, Call, render};
use crate::postgres::logs::{self, Start};
use crate::wire::Node;
use crate::wire::error::{internal, log_file_not_found};

/// Lines RDS gives at most, and by default.
const LINES: usize = 10_000;

/// The server's log files.
pub(super) async fn describe(call: &Call<'_>) -> Answer {
    let params = call.params;
    let folder = folder(call).await?;
    let part = params.text("FilenameContains");
    let since: Option<u64> = params.parsed("FileLastWritten")?;
    let size: Option<u64> = params.parsed("FileSize")?;
    let files = logs::list(&folder).map_err(|error| internal(&error))?;
    let accepted = files.into_iter().filter(|file| {
        part.is_none_or(|part| file.name.contains(part))
            && since.is_none_or(|since| file.last_written >= since)
            && size.is_none_or(|size| file.size > size)
    });
    let page = paginate(accepted, |file| file.name.clone(), params)?;
    Ok(Some(render::page("DescribeDBLogFiles", &page, |file| {
        Node::tree(
            "DescribeDBLogFilesDetails",
            vec![
                Node::leaf("LogFileName", &file.name),
                Node::leaf("LastWritten", file.last_written),
                Node::leaf("Size", file.size),
            ],
        )
    })))
}

/// A part of one of them: from the marker on, or the end.
pub(super) async fn download(call: &Call<'_>) -> Answer {
    let params = call.params;
    let folder = folder(call).await?;
    let name = params.required("LogFileName")?;
    let listed = logs::list(&folder).map_err(|error| internal(&error))?;
    // Only a name that is listed is opened, so that none leads out of the folder.
    if !listed.iter().any(|file| file.name == name) {
        return Err(log_file_not_found(name));
    }
    let start = match params.text("Marker") {
        None => Start::Tail,
        Some(marker) => {
            logs::parse_marker(marker).ok_or_else(|| ApiError::invalid_value(format!("Invalid marker: {marker}")))?
        }
    };
    let lines: Option<usize> = params.parsed("NumberOfLines")?;
    let lines = lines.filter(|lines| *lines > 0).unwrap_or(LINES).min(LINES);
    let path = folder.join(name.trim_start_matches("error/"));
    let portion = logs::portion(&path, start, lines).map_err(|error| internal(&error))?;
    Ok(Some(vec![
        Node::leaf("LogFileData", xml_text(&portion.data)),
        Node::leaf("Marker", portion.marker),
        Node::leaf("AdditionalDataPending", portion.pending),
    ]))
}

async fn folder(call: &Call<'_>) -> Result<PathBuf, ApiError> {
    let id = instance_id(call.params)?;
    let resource_id = call
        .service
        .store
        .read(|state| {
            let found = state.instances.get(&id);
            found.map(|found| found.resource_id.clone())
        })
        .await
        .ok_or_else(|| ApiError::instance_not_found(&id))?;
    Ok(call.service.env.layout.logs(&resource_id))
}

/// XML 1.0 has no control characters besides tab and line ends.
fn xml_text(text: &str) -> String {
    text.replace(|c: char| c.is_control() && !matches!(c, '\t' | '\n' | '\r'), "\u{fffd}")
}
