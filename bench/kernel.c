/* The yardstick of the compiled loop: a chain of two sigmoid layers trained by hand, SIMD over replicas.

   LANES networks at a time, all their epochs before the next ones: forward pass, half the squared error, backward
   pass, momentum, and the bookkeeping that everybody in the table does. The criterion is looked at every epoch (each
   output on its target's side of the middle, by more than rounding); a network that meets it keeps its state, and its
   epoch is noted. Sizes are constants of the compilation: IN, HIDDEN, OUT, PATTERNS.

   Weights are one after another as (block, weight, lane): IN x HIDDEN, HIDDEN biases, HIDDEN x OUT, OUT biases. */

#ifndef LANES
#define LANES 4
#endif
#define WEIGHTS ((IN + 1) * HIDDEN + (HIDDEN + 1) * OUT)

typedef double vec __attribute__((vector_size(8 * LANES)));
typedef long long mask __attribute__((vector_size(8 * LANES)));

static inline vec choose(mask m, vec a, vec b) { return (vec)((m & (mask)a) | (~m & (mask)b)); }

/* e^x to about an ulp: x = n ln 2 + r, |r| <= ln 2 / 2, Taylor's series to r^11 */
static inline vec exponential(vec x)
{
    const vec magic = (vec){} + 0x1.8p52, most = (vec){} + 708.0;
    x = choose(x > most, most, choose(x < -most, -most, x));
    vec shifted = x * 1.4426950408889634 + magic, n = shifted - magic;
    vec r = x - n * 0x1.62e42fee00000p-1 - n * 0x1.a39ef35793c76p-33;
    /* in pairs, so that no long chain waits for itself */
    vec r2 = r * r, r4 = r2 * r2, r8 = r4 * r4;
    vec low = (1.0 + r) + r2 * (0.5 + r * (1.0 / 6));
    vec middle = (1.0 / 24 + r * (1.0 / 120)) + r2 * (1.0 / 720 + r * (1.0 / 5040));
    vec high = (1.0 / 40320 + r * (1.0 / 362880)) + r2 * (1.0 / 3628800 + r * (1.0 / 39916800));
    vec p = low + r4 * middle + r8 * high;
    return (vec)((mask)p + ((mask)shifted << 52));
}

static inline vec sigmoid(vec x) { return 1.0 / (1.0 + exponential(-x)); }

/* `ended` holds -1 for a network that runs, (block, lane); blocks of LANES networks */
void train(vec *weights, vec *velocities, mask *ended, const double *x, const double *target, const double *wanted,
           long blocks, long epochs, double lr, double momentum, double edge)
{
    for (long block = 0; block < blocks; block++) {
        vec w[WEIGHTS], v[WEIGHTS];
        for (int k = 0; k < WEIGHTS; k++) {
            w[k] = weights[block * WEIGHTS + k];
            v[k] = velocities[block * WEIGHTS + k];
        }
        vec *w1 = w, *b1 = w1 + IN * HIDDEN, *w2 = b1 + HIDDEN, *b2 = w2 + HIDDEN * OUT;
        mask running = ended[block] < 0;
        for (long epoch = 0; epoch < epochs; epoch++) {
            vec g[WEIGHTS] = {};
            vec *g1 = g, *a1 = g1 + IN * HIDDEN, *g2 = a1 + HIDDEN, *a2 = g2 + HIDDEN * OUT;
            mask good = ~(mask){};
            vec y[PATTERNS][HIDDEN], z[PATTERNS][OUT];
            for (int n = 0; n < PATTERNS; n++) /* layer by layer: sigmoids beside one another do not wait */
                for (int h = 0; h < HIDDEN; h++) {
                    vec s = b1[h];
                    for (int i = 0; i < IN; i++) s += x[n * IN + i] * w1[i * HIDDEN + h];
                    y[n][h] = sigmoid(s);
                }
            for (int n = 0; n < PATTERNS; n++)
                for (int o = 0; o < OUT; o++) {
                    vec s = b2[o];
                    for (int h = 0; h < HIDDEN; h++) s += y[n][h] * w2[h * OUT + o];
                    z[n][o] = sigmoid(s);
                }
            vec delta[PATTERNS][OUT], blame[PATTERNS][HIDDEN];
            for (int n = 0; n < PATTERNS; n++) {
                for (int o = 0; o < OUT; o++) {
                    double d = target[n * OUT + o], on = wanted[n * OUT + o]; /* on: 1 or -1 */
                    good &= (z[n][o] - 0.5) * on > edge;
                    delta[n][o] = (z[n][o] - d) * (z[n][o] * (1.0 - z[n][o]));
                }
                for (int h = 0; h < HIDDEN; h++) {
                    vec s = w2[h * OUT] * delta[n][0];
                    for (int o = 1; o < OUT; o++) s += w2[h * OUT + o] * delta[n][o];
                    blame[n][h] = s * (y[n][h] * (1.0 - y[n][h]));
                }
            }
            for (int h = 0; h < HIDDEN; h++) {
                for (int i = 0; i < IN; i++)
                    for (int n = 0; n < PATTERNS; n++) g1[i * HIDDEN + h] += x[n * IN + i] * blame[n][h];
                for (int n = 0; n < PATTERNS; n++) a1[h] += blame[n][h];
                for (int o = 0; o < OUT; o++)
                    for (int n = 0; n < PATTERNS; n++) g2[h * OUT + o] += y[n][h] * delta[n][o];
            }
            for (int o = 0; o < OUT; o++)
                for (int n = 0; n < PATTERNS; n++) a2[o] += delta[n][o];
            mask met = good & running;
            ended[block] = (met & ((mask){} + epoch)) | (~met & ended[block]);
            running &= ~met;
            long long any = 0;
            for (int l = 0; l < LANES; l++) any |= running[l];
            if (!any) break;
            for (int k = 0; k < WEIGHTS; k++) {
                vec step = momentum * v[k] - lr * g[k];
                v[k] = choose(running, step, v[k]);
                w[k] = choose(running, w[k] + step, w[k]);
            }
        }
        for (int k = 0; k < WEIGHTS; k++) {
            weights[block * WEIGHTS + k] = w[k];
            velocities[block * WEIGHTS + k] = v[k];
        }
    }
}
