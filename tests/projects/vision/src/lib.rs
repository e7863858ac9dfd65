//! The networks of `tch::vision`, as they are, with ten classes.

use tch::nn::{self, FuncT, ModuleT, SequentialT};
use tch::vision;

/// A residual network of 18 layers.
pub fn resnet18(path: &nn::Path) -> FuncT<'static> {
    vision::resnet::resnet18(path, 10)
}

/// `MobileNet` V2: depthwise convolutions, inverted residuals, dropout.
pub fn mobilenet_v2(path: &nn::Path) -> impl ModuleT {
    vision::mobilenet::v2(path, 10)
}

/// VGG with batch norm; 129 million parameters, nearly all of them in its linear layers.
pub fn vgg11_bn(path: &nn::Path) -> SequentialT {
    vision::vgg::vgg11_bn(path, 10)
}
