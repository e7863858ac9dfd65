//! Initialisation: PyTorch's defaults and those of `torch.nn.init`, drawn from the same stream in the same order, so that
//! one seed gives the same numbers in both.

use nncheck_core::spec::layer::{Init, LayerInit};
use tch::Tensor;

use super::parameters::Parameters;

/// The weight of a linear or convolutional layer: `kaiming_uniform_(a = sqrt(5))`, with the roundings of PyTorch's own
/// formula; mathematically `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
pub(super) fn weight(parameters: &Parameters<'_>, shape: &[i64]) -> Tensor {
    let slope = 5.0_f64.sqrt();
    let gain = (2.0 / (1.0 + slope * slope)).sqrt();
    let bound = 3.0_f64.sqrt() * (gain / fans(shape).0.sqrt());
    parameters.uniform("weight", shape, bound)
}

/// The bias that goes with a weight: `U(-1/sqrt(fan_in), 1/sqrt(fan_in))`.
pub(super) fn bias(parameters: &Parameters<'_>, units: i64, weight_shape: &[i64]) -> Tensor {
    parameters.uniform("bias", &[units], 1.0 / fans(weight_shape).0.sqrt())
}

/// Draws what `init` names anew; the norms inside a transformer's layer keep their ones and zeros.
pub(super) fn apply(parameters: &Parameters<'_>, init: LayerInit) {
    if init == LayerInit::default() {
        return;
    }
    let made = parameters.made();
    let matrices = made.iter().any(|(_, tensor)| tensor.dim() > 1);
    tch::no_grad(|| {
        for (name, tensor) in made {
            let of_norm = name.starts_with("norm") && matrices;
            if !of_norm {
                draw(tensor, if name.contains("weight") { init.weight } else { init.bias });
            }
        }
    });
}

/// As the function of this name of `torch.nn.init`, with its defaults.
pub(super) fn draw(mut tensor: Tensor, init: Init) {
    let (fan_in, fan_out) = fans(&tensor.size());
    let both = fan_in + fan_out;
    let _itself = match init {
        Init::Pytorch => return,
        Init::KaimingNormal => tensor.normal_(0.0, 2.0_f64.sqrt() / fan_in.sqrt()),
        Init::KaimingUniform => uniform(&mut tensor, 3.0_f64.sqrt() * (2.0_f64.sqrt() / fan_in.sqrt())),
        Init::XavierNormal => tensor.normal_(0.0, (2.0 / both).sqrt()),
        Init::XavierUniform => uniform(&mut tensor, 3.0_f64.sqrt() * (2.0 / both).sqrt()),
        Init::Orthogonal => return orthogonal(&mut tensor),
        Init::Zeros => tensor.zero_(),
        Init::Constant(value) => tensor.fill_(value),
        Init::Normal(normal) => tensor.normal_(normal.mean, normal.std),
        Init::Uniform(range) => tensor.uniform_(range.low, range.high),
    };
}

fn uniform(tensor: &mut Tensor, bound: f64) -> Tensor {
    tensor.uniform_(-bound, bound)
}

/// The Q of a random matrix, its signs those that make it uniform among orthogonal matrices.
fn orthogonal(tensor: &mut Tensor) {
    let size = tensor.size();
    let rows = size.first().copied().unwrap_or(1).max(1);
    let columns = size.iter().skip(1).product::<i64>();
    let mut random = Tensor::empty([rows, columns], (tensor.kind(), tensor.device()));
    let _itself = random.normal_(0.0, 1.0);
    if rows < columns {
        random = random.transpose(0, 1);
    }
    let (q, r) = Tensor::linalg_qr(&random, "reduced");
    let mut q = q * r.diagonal(0, 0, 1).sign();
    if rows < columns {
        q = q.transpose(0, 1);
    }
    tensor.copy_(&q.reshape(&size));
}

/// Inputs and outputs of one unit, times the entries of a kernel.
fn fans(shape: &[i64]) -> (f64, f64) {
    let kernel = shape.iter().skip(2).product::<i64>();
    let fan = |axis: usize| (shape.get(axis).copied().unwrap_or(1) * kernel).max(1) as f64;
    (fan(1), fan(0))
}

/// A tensor drawn anew after its making, as PyTorch's constructors do.
pub(super) fn redrawn(tensor: Tensor, init: Init) -> Tensor {
    tch::no_grad(|| draw(tensor.shallow_clone(), init));
    tensor
}
