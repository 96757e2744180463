//! From pixels to a file that says nothing else.

use image::{
    DynamicImage,
    codecs::{
        jpeg::JpegEncoder,
        png::{CompressionType, FilterType, PngEncoder},
    },
};

use crate::{Format, Image, Refusal};

const JPEG_QUALITY: u8 = 90;

/// Writes the pixels with eight bits per channel.
pub(crate) fn encode(image: &DynamicImage, format: Format) -> Result<Image, Refusal> {
    let (width, height) = (image.width(), image.height());
    let color = image.color();
    let mut bytes = Vec::new();
    let written = match format {
        Format::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(&mut bytes, JPEG_QUALITY);
            if color.has_color() {
                image.to_rgb8().write_with_encoder(encoder)
            } else {
                image.to_luma8().write_with_encoder(encoder)
            }
        }
        Format::Png => {
            let encoder = PngEncoder::new_with_quality(
                &mut bytes,
                CompressionType::Default,
                FilterType::Adaptive,
            );
            match (color.has_color(), color.has_alpha()) {
                (true, true) => image.to_rgba8().write_with_encoder(encoder),
                (true, false) => image.to_rgb8().write_with_encoder(encoder),
                (false, true) => image.to_luma_alpha8().write_with_encoder(encoder),
                (false, false) => image.to_luma8().write_with_encoder(encoder),
            }
        }
    };
    written.map_err(|_| Refusal::Undecodable)?;
    Ok(Image { format, width, height, bytes })
}
