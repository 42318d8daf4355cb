"""The names of the face, and where each lives:
read by type checkers, and by `__init__.py` when one is asked for.
"""

from . import plots as plots
from . import results as results
from .checks.kit import check_algorithm as check_algorithm
from .checks.kit import checks_of as checks_of
from .cli.comparison import compare as compare
from .core.algorithm import Algorithm as Algorithm
from .core.algorithm import Array as Array
from .core.algorithm import CreditAlgorithm as CreditAlgorithm
from .core.algorithm import State as State
from .core.algorithm import Traits as Traits
from .core.batch import Batch as Batch
from .core.batch import Credit as Credit
from .core.batch import Update as Update
from .core.batch import added as added
from .core.convolution import Convolution as Convolution
from .core.convolution import Local as Local
from .core.data import Data as Data
from .core.data import Patterns as Patterns
from .core.data import Published as Published
from .core.data import Spec as Spec
from .core.data import Usual as Usual
from .core.data import shared as shared
from .core.edges import Edge as Edge
from .core.edges import Group as Group
from .core.errors import InputError as InputError
from .core.exact_gradient import backpropagated as backpropagated
from .core.exact_gradient import exact_gradient as exact_gradient
from .core.gates import FastWeights as FastWeights
from .core.gates import Gate as Gate
from .core.identity import Identity as Identity
from .core.identity import Problem as Problem
from .core.kernels import total as total
from .core.loops import repeat as repeat
from .core.loops import settle as settle
from .core.losses import CrossEntropy as CrossEntropy
from .core.losses import Loss as Loss
from .core.losses import SquaredError as SquaredError
from .core.network import Key as Key
from .core.network import Network as Network
from .core.network import Params as Params
from .core.optimisers import Adam as Adam
from .core.optimisers import GradientDescent as GradientDescent
from .core.optimisers import Optimiser as Optimiser
from .core.optimisers import SignStep as SignStep
from .core.paired import Paired as Paired
from .core.rand import Rand as Rand
from .core.recurrent import attending as attending
from .core.recurrent import recurrent as recurrent
from .core.registry import add_plugins as add_plugins
from .core.setting import setting as setting
from .core.task import Task as Task
from .core.units import Unit as Unit
from .core.vectors import flatten as flatten
from .core.vectors import unflatten as unflatten
from .experiment.result import Result as Result
from .experiment.run import run as run

__version__: str
